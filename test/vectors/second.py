#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# A second implementation of the core's arithmetic, in numbers that have no width: holds the test vectors against the
# formulas of doc/design.md and of the headers. So what the file says is not only what the core happened to give.
# Usage: second.py FILE
#
# Policy: written from the documents, not from the core. What is not here are decisions without arithmetic (hypercalls,
# levels, messages), which test/fuzz/model/ has once more, and the bounds of the handoff, which are properties.
import json
import struct
import sys

U64 = 2**64 - 1
UNIT_NS = 100
REF_HZ = 10**7
RATES = range(10**6, 2 * 10**9 + 1)
E_RATE, E_SHORT, E_VERSION, E_VALUE = -1, -2, -3, -4
PERIOD_MIN = 1000
ENABLE, PERIODIC, AUTO, DIRECT = 1, 2, 8, 1 << 12
RECORD_VERSION = 3
RECORD = struct.Struct('<4sIIIIIqQQQQQ5QQI')
TIMER = struct.Struct('<QQQQQ???')
SYNIC = struct.Struct('<19Q')
FLAGS = ('answer', 'armed', 'pending', 'asserted', 'held')


def plain(value):
    """A value of the file, with numbers as numbers."""
    if isinstance(value, dict):
        return {name: value[name] if name in ('page', 'record') else plain(value[name]) for name in value}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, str) and value.lstrip('-').isdigit() else value


def saturated(value):
    return min(value, U64)


def signed(value):
    value &= U64
    return value - 2**64 if value >> 63 else value


def ceiling(numerator, denominator):
    return -(-numerator // denominator)


# ---- Rates, clock and page ----

def scale_of(hz):
    return 2**64 * REF_HZ // hz if hz > REF_HZ else 0


def convert_deadline(i):
    distance = i['deadline'] - i['from']
    return min(max(i['to'] + ceiling(distance * i['hz_to'], i['hz_from']), 0), U64)


def elapsed(hz, counter):
    """The counter's part of reference time, in parts of 2^-64 units."""
    if scale_of(hz):
        return counter * scale_of(hz)
    units = counter * REF_HZ // hz
    return counter * REF_HZ * 2**64 // hz if units <= U64 else U64 << 64


def position(clock, counter):
    return (elapsed(clock['hz'], counter) + (clock.get('offset', 0) << 64)) % 2**128


def clock_at(hz, counter, at):
    return {'hz': hz, 'scale': scale_of(hz), 'offset': signed((at - elapsed(hz, counter)) >> 64)}


def clock_set(i):
    if i['hz'] not in RATES:
        return {'error': E_RATE, 'clock': {}}
    return {'error': 0, 'clock': clock_at(i['hz'], i['counter'], (i['at'] << 64) + U64)}


def clock_read(clock, counter):
    return position(clock, counter) >> 64


def next_sequence(sequence):
    following = (sequence + 1) % 2**32
    return 1 if following in (0, 2**32 - 1) else following


def page_write(i):
    page, clock = bytearray.fromhex(i['page']), i['clock']
    struct.pack_into('<I', page, 0, 0)
    if clock.get('scale'):
        struct.pack_into('<Qq', page, 8, clock['scale'], clock.get('offset', 0))
        struct.pack_into('<I', page, 0, i['sequence'])
    return {'page': page.hex()}


def page_invalidate(i):
    return {'page': '00000000' + i['page'][8:]}


# ---- One timer ----

def timer_of(i):
    names = ('config', 'count', 'due', 'expired', 'coalesced')
    timer = {name: i['timer'].get(name, 0) for name in names}
    return timer | {name: i['timer'].get(name, False) for name in ('armed', 'pending', 'asserted')}


def multiple(count):
    """How many periods pass from one expiry to the next."""
    return ceiling(PERIOD_MIN, count) if count < PERIOD_MIN else 1


def program(timer, now):
    if not timer['config'] & DIRECT and not timer['config'] >> 16 & 15:
        timer['config'] &= ~ENABLE
    armed = bool(timer['config'] & ENABLE and timer['count'])
    due = timer['count'] if armed else 0
    if armed and timer['config'] & PERIODIC:
        due = saturated(now + timer['count'] * multiple(timer['count']))
    timer.update(armed=armed, due=due, expired=0, coalesced=0, pending=False, asserted=False)
    return {'timer': timer}


def set_config(i):
    return program(timer_of(i) | {'config': i['config']}, i['now'])


def set_count(i):
    timer = timer_of(i) | {'count': i['count']}
    if not i['count']:
        timer['config'] &= ~ENABLE
    elif timer['config'] & AUTO:
        timer['config'] |= ENABLE
    return program(timer, i['now'])


def expire_timer(timer, now):
    if not timer['armed'] or now < timer['due']:
        return False
    if timer['pending']:
        timer['coalesced'] += 1
    else:
        timer['expired'] = timer['due']
    timer['pending'] = True
    if timer['config'] & PERIODIC:
        step = timer['count'] * multiple(timer['count'])
        passed = (now - timer['due']) // step + 1
        timer['coalesced'] += passed * multiple(timer['count']) - 1
        timer['due'] = saturated(timer['due'] + passed * step)
    else:
        timer.update(config=timer['config'] & ~ENABLE, armed=False, due=0)
    return True


def expire(i):
    timer = timer_of(i)
    return {'answer': expire_timer(timer, i['now']), 'timer': timer}


def merged(i):
    timer = timer_of(i)
    timer['coalesced'] += bool(timer['config'] & PERIODIC)
    timer.update(pending=False, expired=0)
    return {'timer': timer}


def delivered(i):
    timer = timer_of(i)
    if timer['asserted']:
        return merged(i)
    timer.update(pending=False, expired=0, asserted=i['asserted'])
    return {'timer': timer}


# ---- A guest: its timers, and how it stops and goes on ----

def timers_of(partition):
    return [timer_of({'timer': timer}) for vcpu in partition.get('vcpu', []) for timer in vcpu.get('timer', [])]


def deadline(i):
    due = [timer['due'] for timer in timers_of(i['partition'])
           if timer['armed'] and not timer['pending'] and not timer['asserted']]
    return {'answer': bool(due), 'result': min(due, default=0)}


def expire_all(i):
    partition, pending = json.loads(json.dumps(i['partition'])), False
    for vcpu in partition['vcpu']:
        for n, timer in enumerate(vcpu.get('timer', [])):
            vcpu['timer'][n] = timer_of({'timer': timer})
            expire_timer(vcpu['timer'][n], clock_read(partition['clock'], i['counter']))
            pending |= vcpu['timer'][n]['pending']
    return {'answer': pending, 'partition': partition}


def stop(i):
    clock = i['partition']['clock']
    return {'stop': {'hz': clock['hz'], 'counter': i['counter'], 'reference': clock_read(clock, i['counter'])}}


def finest(clock, counter):
    """The most exact time that a guest can read: whole units where there is no page."""
    return position(clock, counter) if scale_of(clock['hz']) else clock_read(clock, counter) << 64


def resume(i):
    partition, point = json.loads(json.dumps(i['partition'])), i['stop']
    if i['hz'] not in RATES:
        return {'error': E_RATE}
    gap = 0 if i['policy'] else i['gap']
    counter = saturated(point.get('counter', 0) + gap * i['hz'] // 10**9)
    seen = finest(partition['clock'], point.get('counter', 0))
    stopped = position(partition['clock'], point.get('counter', 0))
    clock = clock_at(i['hz'], counter, stopped + gap * 2**64 // UNIT_NS)
    while finest(clock, counter) < seen:
        clock['offset'] += 1
    partition.update(clock=clock, page_sequence=next_sequence(partition.get('page_sequence', 0)))
    return {'error': 0, 'counter': counter, 'partition': partition}


# ---- Records ----

def padded(values, count):
    return values + [0] * (count - len(values))


def save(i):
    partition, point = i['partition'], i['stop']
    vcpus = partition['vcpu_count']
    size = RECORD.size + vcpus * (4 * TIMER.size + SYNIC.size)
    if i['capacity'] < size:
        return {'error': E_SHORT}
    record = RECORD.pack(b'SREC', RECORD_VERSION, size, vcpus, partition['clock']['hz'],
                         partition.get('page_sequence', 0), partition['clock'].get('offset', 0),
                         point.get('counter', 0), point.get('reference', 0), partition.get('guest_os_id', 0),
                         partition.get('reference_tsc', 0), partition.get('guest_clock', 0),
                         *padded(partition.get('crash', []), 5), partition.get('crash_ctl', 0),
                         partition.get('holder', 0) + 1 if partition.get('held') else 0)
    for vcpu in padded(partition['vcpu'], vcpus):
        for timer in padded(vcpu.get('timer', []), 4):
            record += TIMER.pack(*timer_of({'timer': timer or {}}).values())
        synic = vcpu.get('synic', {})
        record += SYNIC.pack(*(synic.get(name, 0) for name in ('control', 'siefp', 'simp')),
                             *padded(synic.get('sint', []), 16))
    return {'error': 0, 'record': record.hex()}


def load(i, out):
    """A record that was taken is the one that its contents are saved as; a short one is called short."""
    record = bytes.fromhex(i['record'])
    if out['error'] == 0:
        again = save(out | {'capacity': 4096})
        return out if again['record'] == i['record'] else {'record': again['record']}
    if record[4] != RECORD_VERSION:
        return {'error': E_VERSION}
    return {'error': E_SHORT if len(record) < struct.unpack_from('<I', record, 8)[0] else E_VALUE}


# ---- Statements ----

def statement_is_valid(statement):
    error = statement.get('error_ns', 0)
    return (statement.get('counter', 0) <= 2**61 and statement.get('realtime', 0) <= 2**62 and
            (error <= 3600 * 10**9 or error == U64))


def difference(i):
    source, target = ({name: i[side].get(name, 0) for name in ('counter', 'realtime', 'error_ns')}
                      for side in ('source', 'target'))
    if not statement_is_valid(source) or not statement_is_valid(target):
        return {'error': E_VALUE}
    known = source['error_ns'] != U64 and target['error_ns'] != U64
    return {'error': 0, 'result': source['error_ns'] + target['error_ns'] if known else U64,
            'difference_ns': target['counter'] - source['counter'] - (target['realtime'] - source['realtime'])}


def result(value):
    return {'result': value}


SECOND = {
    'sc_muldiv': lambda i: result(saturated(i['a'] * i['b'] // i['divisor'])),
    'sc_rate_scale': lambda i: result(scale_of(i['hz'])),
    'sc_rate_ticks_to_ns': lambda i: result(saturated(i['ticks'] * 10**9 // i['hz'])),
    'sc_rate_ns_to_ticks': lambda i: result(saturated(i['ns'] * i['hz'] // 10**9)),
    'sc_rate_convert_deadline': lambda i: result(convert_deadline(i)),
    'sc_clock_set': clock_set,
    'sc_clock_read': lambda i: result(clock_read(i['clock'], i['counter'])),
    'sc_ref_until': lambda i: result(saturated(max(i['to'] - i['from'], 0) * UNIT_NS)),
    'sc_page_next_sequence': lambda i: result(next_sequence(i['sequence'])),
    'sc_page_write': page_write,
    'sc_page_invalidate': page_invalidate,
    'sc_stimer_set_config': set_config,
    'sc_stimer_set_count': set_count,
    'sc_stimer_expire': expire,
    'sc_stimer_delivered': delivered,
    'sc_stimer_merged': merged,
    'sc_partition_deadline': deadline,
    'sc_partition_expire': expire_all,
    'sc_partition_stop': stop,
    'sc_partition_resume': resume,
    'sc_record_save': save,
    'sc_statement_is_valid': lambda i: {'answer': statement_is_valid(i['statement'])},
    'sc_statement_difference': difference,
}


def same(mine, theirs):
    """Equal, where what is missing is 0 and an array may end early."""
    if isinstance(mine, dict) or isinstance(theirs, dict):
        mine, theirs = mine or {}, theirs or {}
        return all(same(mine.get(name), theirs.get(name)) for name in set(mine) | set(theirs))
    if isinstance(mine, list) or isinstance(theirs, list):
        mine, theirs = mine or [], theirs or []
        count = max(len(mine), len(theirs))
        return all(same(a, b) for a, b in zip(padded(mine, count), padded(theirs, count)))
    return (mine or 0) == (theirs or 0)


def holds(case):
    name, given, out = case['function'], plain(case['in']), plain(case['out'])
    mine = load(given, out) if name == 'sc_record_load' else SECOND[name](given)
    # After an error nothing else is promised.
    if mine.get('error', 0) or (name != 'sc_record_load' and set(mine) < set(out)):
        out = {member: out[member] for member in mine}
    return same(mine, out)


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        cases = [case for case in json.load(file)['cases'] if case['function'] in SECOND or
                 case['function'] == 'sc_record_load']
    wrong = [case for case in cases if not holds(case)]
    for case in wrong[:5]:
        print('not so:', json.dumps(case))
    print(f"{len(cases)} cases of {len({case['function'] for case in cases})} functions, {len(wrong)} wrong")
    return bool(wrong) or not cases


sys.exit(main())
