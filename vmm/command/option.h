/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of the command line, as tables: what each is called, what it takes, and where its value goes.
 *
 * Policy: a verb has a struct for its options and a table that fills it. A new option is a field and a line of the
 * table. The compiler holds the field's type against the kind of the option. An option that is given twice adds to
 * its list, or else replaces its first value.
 */
#ifndef VMM_COMMAND_OPTION_H
#define VMM_COMMAND_OPTION_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_LIST_MAX 16

/* The texts of an option that may be given several times, in the order given. */
struct option_list {
	const char *text[OPTION_LIST_MAX];
	uint32_t count;
};

enum option_kind {
	OPTION_KIND_FLAG,
	OPTION_KIND_TEXT,
	OPTION_KIND_MAYBE_TEXT, /* the same, empty if nothing or another option follows */
	OPTION_KIND_NUMBER,	/* from low to high */
	OPTION_KIND_CHOICE,	/* one of the two or three words in `value`, which has bars between them */
	OPTION_KIND_LIST,	/* at most `high` texts, up to OPTION_LIST_MAX */
};

/* How the usage shows it. */
enum option_place {
	OPTION_OPTIONAL, /* in brackets */
	OPTION_NEEDED,	 /* without */
	OPTION_APART,	 /* in another form of the verb */
};

struct option_spec {
	const char *name; /* without the dashes; NULL after the last */
	enum option_kind kind;
	const char *value; /* what the usage calls its value */
	uint32_t low, high;
	size_t offset; /* in the verb's struct */
	enum option_place place;
};

/* Where a member is; each compiles only if the member has the type. */
#define OPTION_OF_BOOL(options, member) _Generic(((options *)0)->member, bool : offsetof(options, member))
#define OPTION_OF_TEXT(options, member) _Generic(((options *)0)->member, const char * : offsetof(options, member))
#define OPTION_OF_NUMBER(options, member) _Generic(((options *)0)->member, uint32_t : offsetof(options, member))
#define OPTION_OF_LIST(options, member) _Generic(((options *)0)->member, struct option_list : offsetof(options, member))

/* The fields of a line of a table: `options` is the verb's struct, `member` its field of the stated type. */
#define OPTION_FLAG(option, options, member) /* bool */                                                                \
	.name = (option), .kind = OPTION_KIND_FLAG, .offset = OPTION_OF_BOOL(options, member)
#define OPTION_TEXT(option, called, options, member) /* const char * */                                                \
	.name = (option), .kind = OPTION_KIND_TEXT, .value = (called), .offset = OPTION_OF_TEXT(options, member)
#define OPTION_MAYBE_TEXT(option, called, options, member) /* const char * */                                          \
	.name = (option), .kind = OPTION_KIND_MAYBE_TEXT, .value = (called), .offset = OPTION_OF_TEXT(options, member)
#define OPTION_NUMBER(option, called, least, most, options, member) /* uint32_t */                                     \
	.name = (option), .kind = OPTION_KIND_NUMBER, .value = (called), .low = (least), .high = (most),               \
	.offset = OPTION_OF_NUMBER(options, member)
#define OPTION_CHOICE(option, words, options, member) /* const char * */                                               \
	.name = (option), .kind = OPTION_KIND_CHOICE, .value = (words), .offset = OPTION_OF_TEXT(options, member)
/* Words that clock_policy_parse() knows. */
#define OPTION_POLICY(option, options, member) OPTION_CHOICE(option, "advance|freeze", options, member)
#define OPTION_LIST(option, called, most, options, member) /* struct option_list */                                    \
	.name = (option), .kind = OPTION_KIND_LIST, .value = (called), .high = (most),                                 \
	.offset = OPTION_OF_LIST(options, member)

/*
 * Fills the struct from a command line, whose first word is the verb's name, and moves the words that are no options to
 * its end. The index of the first of them, argc if there are none; OPTION_HELP if --help is among the options, which
 * each verb has; or -EINVAL with a sentence that names the first option that is wrong. All others are in the struct
 * then, so a flag counts wherever it stands.
 */
#define OPTION_HELP 0
int option_parse(const struct option_spec *table, int argc, char **argv, void *options, struct error *error);

/* Whether the verb has such a flag, and it is set. */
bool option_flag(const struct option_spec *table, const char *name, const void *options);

/* An option as the usage has it, such as "[--vcpus N]". */
#define OPTION_USAGE_MAX 80
void option_usage(const struct option_spec *option, char text[OPTION_USAGE_MAX]);

#endif
