# core/offset.c: the best stamp is the one of the shortest round trip, however old
s/handoff->best_round_trip_ns \/ 2 + .*/handoff->best_round_trip_ns \/ 2;/
