/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes into the functions of the core and what comes out: see the header. */
#include "vector.h"

#include <stdlib.h>
#include <string.h>

/* ---- Structures ---- */

#define END                                                                                                            \
	{                                                                                                              \
		0                                                                                                      \
	}

static const struct field clock_fields[] = { FIELD(sc_clock, hz, U32), FIELD(sc_clock, scale, U64),
					     FIELD(sc_clock, offset, I64), END };

static const struct field timer_fields[] = {
	FIELD(sc_stimer, config, U64),	 FIELD(sc_stimer, count, U64),	   FIELD(sc_stimer, due, U64),
	FIELD(sc_stimer, expired, U64),	 FIELD(sc_stimer, coalesced, U64), FIELD(sc_stimer, armed, BOOL),
	FIELD(sc_stimer, pending, BOOL), FIELD(sc_stimer, asserted, BOOL), END
};

static const struct field synic_fields[] = { FIELD(sc_synic, control, U64), FIELD(sc_synic, siefp, U64),
					     FIELD(sc_synic, simp, U64),
					     FIELD_ARRAY(sc_synic, sint, U64, SC_SINT_COUNT), END };

static const struct field vcpu_fields[] = { FIELD_IN_ARRAY(sc_vcpu, timer, timer_fields, SC_STIMER_COUNT),
					    FIELD_IN(sc_vcpu, synic, synic_fields), END };

static const struct field partition_fields[] = { FIELD_IN(sc_partition, clock, clock_fields),
						 FIELD(sc_partition, vcpu_count, U32),
						 FIELD(sc_partition, page_sequence, U32),
						 FIELD(sc_partition, guest_os_id, U64),
						 FIELD(sc_partition, reference_tsc, U64),
						 FIELD(sc_partition, guest_clock, U64),
						 FIELD(sc_partition, asked, U64),
						 FIELD(sc_partition, held, BOOL),
						 FIELD(sc_partition, holder, U32),
						 FIELD_ARRAY(sc_partition, crash, U64, 5),
						 FIELD(sc_partition, crash_ctl, U64),
						 FIELD_IN_ARRAY(sc_partition, vcpu, vcpu_fields, SC_VCPU_MAX),
						 END };

static const struct field delivery_fields[] = { FIELD(sc_delivery, vp, U32),
						FIELD(sc_delivery, timer, U32),
						FIELD(sc_delivery, message, BOOL),
						FIELD(sc_delivery, interrupt, BOOL),
						FIELD(sc_delivery, intid, U32),
						FIELD(sc_delivery, slot_gpa, U64),
						END };

static const struct field stop_fields[] = { FIELD(sc_stop_point, hz, U32), FIELD(sc_stop_point, counter, U64),
					    FIELD(sc_stop_point, reference, U64), END };

static const struct field follow_fields[] = { FIELD(sc_follow, level, U32),	FIELD(sc_follow, on_page, BOOL),
					      FIELD(sc_follow, inferred, BOOL), FIELD(sc_follow, obstacle, U32),
					      FIELD(sc_follow, vp, U32),	END };

static const struct field hold_fields[] = { FIELD(sc_hold_answer, vp, U32), FIELD(sc_hold_answer, result, U64),
					    FIELD_ARRAY(sc_hold_answer, value, U64, 2), END };

static const struct field call_fields[] = {
	FIELD(sc_call, control, U64),	  FIELD(sc_call, native, BOOL),	   FIELD(sc_call, fast, BOOL),
	FIELD(sc_call, input_gpa, U64),	  FIELD(sc_call, output_gpa, U64), FIELD(sc_call, input_size, U64),
	FIELD(sc_call, output_size, U64), FIELD(sc_call, reps, U32),	   END
};

static const struct field outcome_fields[] = { FIELD(sc_call_outcome, result, U64),
					       FIELD(sc_call_outcome, output_size, U64),
					       FIELD(sc_call_outcome, effects, U32),
					       FIELD(sc_call_outcome, refused_register, U32), END };

static const struct field statement_fields[] = { FIELD(sc_statement, counter, U64), FIELD(sc_statement, realtime, U64),
						 FIELD(sc_statement, error_ns, U64), END };

static const struct field stamp_fields[] = { FIELD(sc_stamp, sent, U64), FIELD(sc_stamp, received, U64),
					     FIELD(sc_stamp, answered, U64), FIELD(sc_stamp, returned, U64), END };

static const struct field interval_fields[] = { FIELD(sc_interval, at, U64), FIELD(sc_interval, low_ns, I64),
						FIELD(sc_interval, high_ns, I64), END };

static const struct field handoff_fields[] = { FIELD(sc_offset, source_lag_ns, U64),
					       FIELD(sc_offset, target_lag_ns, U64),
					       FIELD(sc_offset, stamps, U32),
					       FIELD(sc_offset, low_ns, I64),
					       FIELD(sc_offset, high_ns, I64),
					       FIELD(sc_offset, low_at, U64),
					       FIELD(sc_offset, high_at, U64),
					       FIELD(sc_offset, best_round_trip_ns, U64),
					       FIELD(sc_offset, best_at, U64),
					       FIELD(sc_offset, stated, BOOL),
					       FIELD_IN(sc_offset, statement, interval_fields),
					       FIELD_IN(sc_offset, first, interval_fields),
					       FIELD_IN(sc_offset, last, interval_fields),
					       END };

static const struct field offset_fields[] = {
	FIELD(sc_offset_result, middle_ns, I64),     FIELD(sc_offset_result, half_width_ns, U64),
	FIELD(sc_offset_result, round_trip_ns, U64), FIELD(sc_offset_result, age_ns, U64),
	FIELD(sc_offset_result, stated, U32),	     END
};

static const struct field rate_fields[] = { FIELD(sc_offset_rate, ppb, I64), FIELD(sc_offset_rate, bound_ppb, U64),
					    END };

/* ---- Functions ---- */

#define V(member, kind) FIELD(vector, member, kind)
#define S(member, table) FIELD_IN(vector, member, table##_fields)
#define LIST(...)                                                                                                      \
	(const struct field[])                                                                                         \
	{                                                                                                              \
		__VA_ARGS__, END                                                                                       \
	}

#define PARTITION S(partition, partition)
#define ANSWER V(answer, BOOL)
#define ERROR V(error, INT)
#define RESULT V(result, U64)

static void run_muldiv(struct vector *v)
{
	v->result = sc_muldiv(v->a, v->b, v->divisor);
}

static void run_scale(struct vector *v)
{
	v->result = sc_rate_scale(v->hz);
}

static void run_to_ns(struct vector *v)
{
	v->result = sc_rate_ticks_to_ns(v->hz, v->ticks).v;
}

static void run_to_ticks(struct vector *v)
{
	v->result = sc_rate_ns_to_ticks(v->hz, v->ns).v;
}

static void run_convert(struct vector *v)
{
	v->result = sc_rate_convert_deadline(sc_ticks(v->deadline), sc_ticks(v->from), v->hz_from, sc_ticks(v->to),
					     v->hz_to)
			    .v;
}

static void run_clock_set(struct vector *v)
{
	v->error = sc_clock_set(&v->clock, v->hz, v->counter, sc_ref(v->at));
}

static void run_clock_read(struct vector *v)
{
	v->result = sc_clock_read(&v->clock, v->counter).v;
}

static void run_until(struct vector *v)
{
	v->result = sc_ref_until(sc_ref(v->from), sc_ref(v->to)).v;
}

static void run_sequence(struct vector *v)
{
	v->result = sc_page_next_sequence(v->sequence);
}

static void run_page_write(struct vector *v)
{
	sc_page_write((struct sc_reference_tsc_page *)v->page.data, &v->clock, v->sequence);
}

static void run_page_invalidate(struct vector *v)
{
	sc_page_invalidate((struct sc_reference_tsc_page *)v->page.data);
}

static void run_set_config(struct vector *v)
{
	sc_stimer_set_config(&v->timer, v->config, sc_ref(v->now));
}

static void run_set_count(struct vector *v)
{
	sc_stimer_set_count(&v->timer, v->count, sc_ref(v->now));
}

static void run_expire(struct vector *v)
{
	v->answer = sc_stimer_expire(&v->timer, sc_ref(v->now));
}

static void run_delivered(struct vector *v)
{
	sc_stimer_delivered(&v->timer, v->asserted);
}

static void run_merged(struct vector *v)
{
	sc_stimer_merged(&v->timer);
}

static void run_init(struct vector *v)
{
	v->error = sc_partition_init(&v->partition, v->vcpu_count, v->hz, v->counter);
}

static void run_reset(struct vector *v)
{
	sc_partition_reset(&v->partition);
}

static void run_deadline(struct vector *v)
{
	sc_ref_t deadline = { 0 };

	v->answer = sc_partition_deadline(&v->partition, &deadline);
	v->result = deadline.v;
}

static void run_expire_all(struct vector *v)
{
	v->answer = sc_partition_expire(&v->partition, v->counter);
}

static void run_pending(struct vector *v)
{
	struct sc_delivery none = { 0 };

	v->answer = sc_partition_pending(&v->partition, &v->cursor, &v->delivery);
	if (!v->answer)
		v->delivery = none;
}

static void run_fill(struct vector *v)
{
	sc_message_fill((struct sc_message *)v->message.data, &v->partition, &v->delivery, sc_ref(v->now));
	v->message.size = sizeof(struct sc_message);
}

static void run_slot_free(struct vector *v)
{
	v->answer = sc_message_slot_free((struct sc_message *)v->slot.data);
}

static void run_place(struct vector *v)
{
	sc_message_place((struct sc_message *)v->slot.data, (const struct sc_message *)v->message.data);
}

static void run_follow(struct vector *v)
{
	v->follow = sc_partition_follow(&v->partition, v->online, (enum sc_move)v->move);
}

static void run_ask(struct vector *v)
{
	v->answer = sc_hold_ask(&v->partition, v->asked);
}

static void run_hold_end(struct vector *v)
{
	v->answer = sc_hold_end(&v->partition, v->ended, &v->hold);
}

static void run_stop(struct vector *v)
{
	v->stop = sc_partition_stop(&v->partition, v->counter);
}

static void run_resume(struct vector *v)
{
	v->error = sc_partition_resume(&v->partition, &v->stop, v->hz, (enum sc_clock_policy)v->policy, v->gap,
				       &v->counter);
}

static void run_decode(struct vector *v)
{
	v->result = sc_call_decode(v->control, v->x2, v->x3, &v->call);
	if (v->result != SC_HV_SUCCESS)
		v->call = (struct sc_call){ 0 };
}

static void run_decode_registers(struct vector *v)
{
	v->result = sc_call_decode_registers(v->x, &v->call);
	if (v->result != SC_HV_SUCCESS)
		v->call = (struct sc_call){ 0 };
}

static void run_input_register(struct vector *v)
{
	v->result = sc_call_input_register(&v->call);
}

static void run_input_is_used(struct vector *v)
{
	v->answer = sc_call_input_is_used(&v->call, v->n);
}

static void run_output_register(struct vector *v)
{
	v->result = sc_call_output_register(&v->call);
}

static void run_call(struct vector *v)
{
	sc_call_run(&v->partition, v->vp, &v->call, v->input.data, v->output.data, v->counter, &v->outcome);
	v->output.size = v->outcome.output_size;
	v->refused = v->outcome.refused;
	if (!v->refused)
		v->outcome.refused_register = 0;
}

static void run_make(struct vector *v)
{
	v->error = sc_statement_make(&v->statement, v->hz, v->before, v->realtime, v->after, v->max_error_ns);
}

static void run_is_valid(struct vector *v)
{
	v->answer = sc_statement_is_valid(&v->statement);
}

static void run_difference(struct vector *v)
{
	v->error = sc_statement_difference(&v->source, &v->target, &v->difference_ns, &v->result);
}

static void run_offset_init(struct vector *v)
{
	sc_offset_init(&v->handoff, v->source_hz, v->target_hz);
}

static void run_offset_add(struct vector *v)
{
	v->error = sc_offset_add(&v->handoff, &v->stamp);
}

static void run_offset_state(struct vector *v)
{
	v->error = sc_offset_state(&v->handoff, &v->source, &v->target);
}

static void run_offset_result(struct vector *v)
{
	v->error = sc_offset_result(&v->handoff, sc_ns(v->now), &v->offset);
}

static void run_offset_bound(struct vector *v)
{
	v->result = sc_offset_bound(&v->handoff, v->started, v->difference_ns, &v->offset);
}

static void run_offset_rate(struct vector *v)
{
	v->error = sc_offset_rate(&v->handoff, &v->rate);
}

static void run_save(struct vector *v)
{
	v->error = sc_record_save(&v->partition, &v->stop, v->record.data, v->capacity, &v->record.size);
}

static void run_load(struct vector *v)
{
	v->error = sc_record_load(v->record.data, v->record.size, &v->partition, &v->stop);
}

const struct vector_function vector_functions[] = {
	{ "sc_muldiv", run_muldiv, LIST(V(a, U64), V(b, U64), V(divisor, U64)), LIST(RESULT) },
	{ "sc_rate_scale", run_scale, LIST(V(hz, U32)), LIST(RESULT) },
	{ "sc_rate_ticks_to_ns", run_to_ns, LIST(V(hz, U32), V(ticks, U64)), LIST(RESULT) },
	{ "sc_rate_ns_to_ticks", run_to_ticks, LIST(V(hz, U32), V(ns, U64)), LIST(RESULT) },
	{ "sc_rate_convert_deadline", run_convert,
	  LIST(V(deadline, U64), V(from, U64), V(hz_from, U32), V(to, U64), V(hz_to, U32)), LIST(RESULT) },
	{ "sc_clock_set", run_clock_set, LIST(V(hz, U32), V(counter, U64), V(at, U64)), LIST(ERROR, S(clock, clock)) },
	{ "sc_clock_read", run_clock_read, LIST(S(clock, clock), V(counter, U64)), LIST(RESULT) },
	{ "sc_ref_until", run_until, LIST(V(from, U64), V(to, U64)), LIST(RESULT) },
	{ "sc_page_next_sequence", run_sequence, LIST(V(sequence, U32)), LIST(RESULT) },
	{ "sc_page_write", run_page_write, LIST(V(page, BYTES), S(clock, clock), V(sequence, U32)),
	  LIST(V(page, BYTES)) },
	{ "sc_page_invalidate", run_page_invalidate, LIST(V(page, BYTES)), LIST(V(page, BYTES)) },
	{ "sc_stimer_set_config", run_set_config, LIST(S(timer, timer), V(config, U64), V(now, U64)),
	  LIST(S(timer, timer)) },
	{ "sc_stimer_set_count", run_set_count, LIST(S(timer, timer), V(count, U64), V(now, U64)),
	  LIST(S(timer, timer)) },
	{ "sc_stimer_expire", run_expire, LIST(S(timer, timer), V(now, U64)), LIST(ANSWER, S(timer, timer)) },
	{ "sc_stimer_delivered", run_delivered, LIST(S(timer, timer), V(asserted, BOOL)), LIST(S(timer, timer)) },
	{ "sc_stimer_merged", run_merged, LIST(S(timer, timer)), LIST(S(timer, timer)) },
	{ "sc_partition_init", run_init, LIST(V(vcpu_count, U32), V(hz, U32), V(counter, U64)),
	  LIST(ERROR, PARTITION) },
	{ "sc_partition_reset", run_reset, LIST(PARTITION), LIST(PARTITION) },
	{ "sc_partition_deadline", run_deadline, LIST(PARTITION), LIST(ANSWER, RESULT) },
	{ "sc_partition_expire", run_expire_all, LIST(PARTITION, V(counter, U64)), LIST(ANSWER, PARTITION) },
	{ "sc_partition_pending", run_pending, LIST(PARTITION, V(cursor, U32)),
	  LIST(ANSWER, V(cursor, U32), S(delivery, delivery)) },
	{ "sc_message_fill", run_fill, LIST(PARTITION, S(delivery, delivery), V(now, U64)), LIST(V(message, BYTES)) },
	{ "sc_message_slot_free", run_slot_free, LIST(V(slot, BYTES)), LIST(ANSWER, V(slot, BYTES)) },
	{ "sc_message_place", run_place, LIST(V(slot, BYTES), V(message, BYTES)), LIST(V(slot, BYTES)) },
	{ "sc_partition_follow", run_follow, LIST(PARTITION, V(online, U32), V(move, U32)), LIST(S(follow, follow)) },
	{ "sc_hold_ask", run_ask, LIST(PARTITION, V(asked, U64)), LIST(ANSWER, PARTITION) },
	{ "sc_hold_end", run_hold_end, LIST(PARTITION, V(ended, U64)), LIST(ANSWER, S(hold, hold), PARTITION) },
	{ "sc_partition_stop", run_stop, LIST(PARTITION, V(counter, U64)), LIST(S(stop, stop)) },
	{ "sc_partition_resume", run_resume, LIST(PARTITION, S(stop, stop), V(hz, U32), V(policy, U32), V(gap, U64)),
	  LIST(ERROR, V(counter, U64), PARTITION) },
	{ "sc_call_decode", run_decode, LIST(V(control, U64), V(x2, U64), V(x3, U64)), LIST(RESULT, S(call, call)) },
	{ "sc_call_decode_registers", run_decode_registers, LIST(FIELD_ARRAY(vector, x, U64, 4)),
	  LIST(RESULT, S(call, call)) },
	{ "sc_call_input_register", run_input_register, LIST(S(call, call)), LIST(RESULT) },
	{ "sc_call_input_is_used", run_input_is_used, LIST(S(call, call), V(n, U32)), LIST(ANSWER) },
	{ "sc_call_output_register", run_output_register, LIST(S(call, call)), LIST(RESULT) },
	{ "sc_call_run", run_call, LIST(PARTITION, V(vp, U32), S(call, call), V(input, BYTES), V(counter, U64)),
	  LIST(S(outcome, outcome), V(refused, BOOL), V(output, BYTES), PARTITION) },
	{ "sc_statement_make", run_make,
	  LIST(V(hz, U32), V(before, U64), V(realtime, U64), V(after, U64), V(max_error_ns, U64)),
	  LIST(ERROR, S(statement, statement)) },
	{ "sc_statement_is_valid", run_is_valid, LIST(S(statement, statement)), LIST(ANSWER) },
	{ "sc_statement_difference", run_difference, LIST(S(source, statement), S(target, statement)),
	  LIST(ERROR, V(difference_ns, I64), RESULT) },
	{ "sc_offset_init", run_offset_init, LIST(V(source_hz, U32), V(target_hz, U32)), LIST(S(handoff, handoff)) },
	{ "sc_offset_add", run_offset_add, LIST(S(handoff, handoff), S(stamp, stamp)),
	  LIST(ERROR, S(handoff, handoff)) },
	{ "sc_offset_state", run_offset_state, LIST(S(handoff, handoff), S(source, statement), S(target, statement)),
	  LIST(ERROR, S(handoff, handoff)) },
	{ "sc_offset_result", run_offset_result, LIST(S(handoff, handoff), V(now, U64)),
	  LIST(ERROR, S(offset, offset)) },
	{ "sc_offset_bound", run_offset_bound, LIST(S(handoff, handoff), V(started, U64), V(difference_ns, I64)),
	  LIST(RESULT, S(offset, offset)) },
	{ "sc_offset_rate", run_offset_rate, LIST(S(handoff, handoff)), LIST(ERROR, S(rate, rate)) },
	{ "sc_record_save", run_save, LIST(PARTITION, S(stop, stop), V(capacity, U64)), LIST(ERROR, V(record, BYTES)) },
	{ "sc_record_load", run_load, LIST(V(record, BYTES)), LIST(ERROR, PARTITION, S(stop, stop)) },
	{ 0 },
};

const struct vector_function *vector_find(const char *name)
{
	for (const struct vector_function *function = vector_functions; function->name; function++)
		if (name && strcmp(function->name, name) == 0)
			return function;
	return NULL;
}

json_t *vector_evaluate(const struct vector_function *function, const json_t *in)
{
	struct vector *vector = calloc(1, sizeof(*vector));
	json_t *out = NULL;

	if (vector && field_decode(function->in, in, vector)) {
		function->run(vector);
		out = field_encode(function->out, vector, false);
	}
	free(vector);
	return out;
}
