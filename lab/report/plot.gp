# SPDX-License-Identifier: BSD-2-Clause
#
# The picture of a run: what the guest's clock was off by, and what the raw counter would have been off by. Two panels
# over one axis of true time, since the two errors differ by six orders of magnitude. The caller sets `folder`, where the
# judge wrote its tables, the terminal and the output.

set encoding utf8
set datafile separator whitespace
samples = folder."/samples.dat"
legs = system(sprintf("cat '%s/legs.tsv'", folder))
moves = system(sprintf("cat '%s/migrations.tsv'", folder))
leg_count = int(system(sprintf("wc -l < '%s/legs.tsv'", folder)))
move_count = int(system(sprintf("wc -l < '%s/migrations.tsv'", folder)))

# Words per line of the tables, as the tables have them.
leg_words = leg_count > 0 ? words(legs) / leg_count : 0
move_words = move_count > 0 ? words(moves) / move_count : 0
leg(i, k) = word(legs, (i - 1) * leg_words + k)
move(i, k) = word(moves, (i - 1) * move_words + k)

stats samples using 1 nooutput name "time"
stats samples using 2 nooutput name "mono"
stats samples using 5 nooutput name "raw"

# The lower panel shows at least +-500 us: the measurement's own noise should not look like a fault.
largest = abs(mono_max) > abs(mono_min) ? abs(mono_max) : abs(mono_min)
half = 1.3 * (largest > 385 ? largest : 385)
raw_top = raw_max > 1 ? raw_max : 1
raw_bottom = raw_min < 0 ? raw_min : 0
span = raw_top - raw_bottom

rate(hz) = hz >= 1e9 ? sprintf("%g GHz", hz / 1e9) : sprintf("%g MHz", hz / 1e6)
edge(i) = i < 1 ? time_min : i > move_count ? time_max : real(move(i, 5))
# Text shrinks when there are many legs.
small = move_count > 4
text = small ? "Sans,8" : "Sans,12"

set border 3 lc rgb "#555555"
set tics nomirror font "Sans,11" textcolor rgb "#333333"
set grid ytics lc rgb "#dddddd" lt 1
unset key
set xrange [time_min:time_max]
set lmargin 13
set rmargin 4

# Legs on a host other than the first are shaded, so both panels show where the guest was.
do for [i = 1:leg_count] {
	if (leg(i, 2) ne leg(1, 2)) {
		set object i rectangle from first edge(i - 1), graph 0 to first edge(i), graph 1 \
			fillcolor rgb "#eef3fa" fillstyle solid noborder behind
	}
}
do for [i = 1:move_count] {
	set arrow i from first edge(i), graph 0 to first edge(i), graph 1 nohead lc rgb "#888888" dt 2 lw 1.5
}

set multiplot layout 2,1 title "A guest moves between hosts whose counters tick at different rates" \
	font "Sans,17" offset 0,-0.3

set tmargin 4.5
set bmargin 1.5
set format x ""
set ylabel "error [s]" font "Sans,13"
set yrange [raw_bottom - 0.12 * span:raw_top + 0.18 * span]
set title "Without Seaclock: the raw counter, read at the rate it had at boot" font "Sans,13" textcolor rgb "#b3261e" \
	offset 0,1.2
do for [i = 1:leg_count] {
	name = small ? leg(i, 1) : sprintf("%s, %s", leg(i, 1), rate(real(leg(i, 2))))
	set label i name \
		at first (edge(i - 1) + edge(i)) / 2, graph 1.05 center font text textcolor rgb "#333333"
}
set label 100 sprintf("%+.0f s", raw_max) at first time_max, first raw_max right offset -0.5,1 font "Sans,12" \
	textcolor rgb "#b3261e"
plot samples using 1:5 with lines lw 3 lc rgb "#b3261e"

unset label
set tmargin 3.5
set bmargin 4
set format x "%g"
set xlabel "true time since the first sample [s]" font "Sans,13"
set ylabel "error [µs]" font "Sans,13"
set yrange [-half:half]
set title "With Seaclock: the guest's CLOCK\\_MONOTONIC" font "Sans,13" textcolor rgb "#0b57a4" offset 0,0.2
do for [i = 1:move_count] {
	name = sprintf(small ? "%+.0f" : "step %+.0f µs\nbound %.0f µs\nstopped %.0f ms", \
		real(move(i, 7)), real(move(i, 9)), real(move(i, 6)))
	set label i name \
		at first edge(i), graph 0.94 left offset 0.7,0 font text textcolor rgb "#333333"
}
plot 0 lc rgb "#888888" lw 1, samples using 1:2 with points pt 7 ps 0.5 lc rgb "#0b57a4"
unset multiplot
