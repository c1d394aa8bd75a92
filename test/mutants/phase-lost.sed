# core/stimer.c: a periodic timer that was served late stays late
# conformance: direct.periodic-phase
s/step - late % step)/step)/
