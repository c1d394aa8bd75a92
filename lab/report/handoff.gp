# SPDX-License-Identifier: BSD-2-Clause
#
# The picture of the clock offset estimates of many migrations: the true step of each, with the uncertainty of its
# measurement, inside the bound that was stated. The caller sets `data`, a table by the judge, and the output.

set terminal svg size 1200,700 enhanced font 'Sans,12' background 'white'
set encoding utf8
stats data using 2 nooutput name "load"
stats data using 5 nooutput name "bound"
idle = load_records - int(load_sum)

set border 3 lc rgb "#555555"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#dddddd" lt 1
set key top right horizontal
set xrange [0.3:load_records + 0.7]
set yrange [-1.35 * bound_max:1.35 * bound_max]
set xlabel "migration"
set ylabel "step of the guest's clock [µs]"
set title "True steps and stated bounds of migrations between counters of different rates" font "Sans,16"
set object 1 rectangle from first idle + 0.5, graph 0 to graph 1, graph 1 fillcolor rgb "#f4efe6" fillstyle solid \
	noborder behind
set label 1 "idle guest" at first 0.6, graph 0.04 textcolor rgb "#333333"
set label 2 "guest under memory load" at first idle + 0.8, graph 0.04 textcolor rgb "#333333"

plot data using ($1 - 0.35):(-$5):(0.7):(0) with vectors nohead lw 2 lc rgb "#b3261e" title "stated bound", \
	data using ($1 - 0.35):5:(0.7):(0) with vectors nohead lw 2 lc rgb "#b3261e" notitle, \
	data using ($1 - 0.35):6:(0.7):(0) with vectors nohead lw 1 lc rgb "#999999" title "half the round trip", \
	data using ($1 - 0.35):(-$6):(0.7):(0) with vectors nohead lw 1 lc rgb "#999999" notitle, \
	data using 1:3:4 with yerrorbars pt 7 ps 0.5 lc rgb "#0b57a4" title "true step"
