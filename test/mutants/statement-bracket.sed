# core/statement.c: the width of the bracket is no error
s/width - width \/ 2 + 1/1/
