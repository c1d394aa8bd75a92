/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware on the command line: see the header. */
#include "command/firmware.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int path_put(const char *piece, char path[CONFIG_PATH_SIZE], struct error *error)
{
	path[0] = '\0';
	return piece[0] ? file_path(piece, path, CONFIG_PATH_SIZE, error) : 0;
}

static int pieces_put(const char *text, char *piece, char *code, char *variables, struct error *error)
{
	const char *rest = text_take_piece(text, piece);
	int result = path_put(piece, code, error);

	variables[0] = '\0';
	if (result || !rest)
		return result;
	rest = text_take_piece(rest, piece);
	if (rest || !piece[0])
		return error_set(error, EINVAL,
				 "--firmware takes CODE or CODE,VARS, not `%.100s`; a comma in a path is written twice",
				 text);
	return path_put(piece, variables, error);
}

int firmware_parse(const char *text, char code[CONFIG_PATH_SIZE], char variables[CONFIG_PATH_SIZE], struct error *error)
{
	char *piece = strdup(text);
	int result;

	if (!piece)
		return error_set(error, ENOMEM, "no memory for the paths of --firmware");
	result = pieces_put(text, piece, code, variables, error);
	free(piece);
	return result;
}

int firmware_describe(const char *text, struct machine_config *config, struct error *error)
{
	char code[CONFIG_PATH_SIZE], variables[CONFIG_PATH_SIZE];
	int result = firmware_parse(text, code, variables, error);

	if (result)
		return result;
	if (code[0])
		snprintf(config->firmware, sizeof(config->firmware), "%s", code);
	else if (!config->firmware[0])
		snprintf(config->firmware, sizeof(config->firmware), "%s", FIRMWARE_DEFAULT);
	if (variables[0])
		snprintf(config->variables, sizeof(config->variables), "%s", variables);
	return 0;
}
