// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a comma is due before the next member of the open object. */
static bool comma;

static void json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_key(const char *key)
{
	if (comma)
		putchar(',');
	comma = true;
	if (!key)
		return;
	json_string(key);
	putchar(':');
}

void json_begin(void)
{
	comma = false;
	putchar('{');
}

void json_end(void)
{
	puts("}");
	fflush(stdout);
}

void json_open(const char *key)
{
	json_key(key);
	putchar('{');
	comma = false;
}

void json_close(void)
{
	putchar('}');
	comma = true;
}

void json_open_list(const char *key)
{
	json_key(key);
	putchar('[');
	comma = false;
}

void json_close_list(void)
{
	putchar(']');
	comma = true;
}

void json_number(const char *key, double value)
{
	json_key(key);
	printf("%.3f", value);
}

void json_integer(const char *key, uint64_t value)
{
	json_key(key);
	printf("%llu", (unsigned long long)value);
}

void json_bool(const char *key, bool value)
{
	json_key(key);
	fputs(value ? "true" : "false", stdout);
}

void json_text(const char *key, const char *value)
{
	json_key(key);
	json_string(value);
}

void json_tally(const char *key, const struct tally *tally)
{
	json_open(key);
	for (size_t i = 0; i < tally->used; i++)
		json_integer(tally->entries[i].key, tally->entries[i].count);
	json_close();
}

void tally_add(struct tally *tally, const char *key)
{
	struct tally_entry *entry;

	for (size_t i = 0; i < tally->used; i++) {
		if (!strcmp(tally->entries[i].key, key)) {
			tally->entries[i].count++;
			return;
		}
	}
	tally->entries = realloc(tally->entries, (tally->used + 1) * sizeof(*entry));
	if (!tally->entries)
		fail("out of memory");
	entry = &tally->entries[tally->used++];
	snprintf(entry->key, sizeof(entry->key), "%s", key);
	entry->count = 1;
}

void tally_add_error(struct tally *tally, int error)
{
	const char *name = strerrorname_np(-error);

	tally_add(tally, error == -ETIME ? "timeout" : name ? name : "unknown");
}

uint64_t tally_total(const struct tally *tally)
{
	uint64_t total = 0;

	for (size_t i = 0; i < tally->used; i++)
		total += tally->entries[i].count;
	return total;
}

void tally_free(struct tally *tally)
{
	free(tally->entries);
	*tally = (struct tally){0};
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("lbprobe: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}
