// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0

/*
 * Maps. Every value is a block of its own, so that a write beyond it shows. What a program deletes or replaces it may
 * go on reading until it ends, as in the kernel; shim_grace() frees it then.
 */

#include <errno.h>
#include <stdlib.h>
#include <linux/bpf.h>
#include "shim.h"

#define BUCKETS  256
#define MAX_MAPS 32

struct element {
	struct element *next;
	__u8 *value;
	__u8 key[];
};

struct shim_map {
	char name[32];
	__u32 type;
	__u32 max_entries;
	__u32 limit;
	__u32 key_size;
	__u32 value_size;
	__u32 count;
	struct element *buckets[BUCKETS];
	__u8 **slots; /* of an array */
	__u32 *used;  /* which of them */
	__u32 used_count;
};

static struct shim_map *maps[MAX_MAPS];
static struct element *graves;
static __u64 evictions;

static bool is_array(const struct shim_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

struct shim_map *shim_map_named(const char *name)
{
	for (int i = 0; i < MAX_MAPS && maps[i]; i++)
		if (!strcmp(maps[i]->name, name))
			return maps[i];
	return NULL;
}

/* Maps of the contract belong to every object, others to one. */
struct shim_map *shim_map_open(const char *unit, const char *name, __u32 type, __u32 max_entries, __u32 key_size,
			       __u32 value_size)
{
	const char *bare = name[0] == '&' ? name + 1 : name;
	char full[32] = "";
	struct shim_map *map;
	int i = 0;

	if (strlen(bare) < 3 || strcmp(bare + strlen(bare) - 3, "_v1"))
		strcat(full, unit);
	strncat(full, bare, sizeof(full) - strlen(full) - 1);
	map = shim_map_named(full);
	if (map) {
		SHIM_REQUIRE(map->type == type && map->key_size == key_size && map->value_size == value_size);
		return map;
	}
	map = calloc(1, sizeof(*map));
	strcpy(map->name, full);
	map->type = type;
	map->limit = map->max_entries = max_entries;
	map->key_size = key_size;
	map->value_size = value_size;
	if (is_array(map)) {
		map->slots = calloc(max_entries, sizeof(*map->slots));
		map->used = calloc(max_entries, sizeof(*map->used));
	}
	while (maps[i])
		i++;
	SHIM_REQUIRE(i < MAX_MAPS);
	maps[i] = map;
	return map;
}

static __u32 bucket_of(const struct shim_map *map, const void *key)
{
	const __u8 *bytes = key;
	__u32 hash = 2166136261u;

	for (__u32 i = 0; i < map->key_size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return (hash ^ hash >> 15) % BUCKETS;
}

static struct element **place_of(struct shim_map *map, const void *key)
{
	struct element **place = &map->buckets[bucket_of(map, key)];

	while (*place && memcmp((*place)->key, key, map->key_size))
		place = &(*place)->next;
	return place;
}

static void bury(struct element *element)
{
	element->next = graves;
	graves = element;
}

static void take_out(struct shim_map *map, struct element **place)
{
	struct element *element = *place;

	*place = element->next;
	map->count--;
	bury(element);
}

static void put_in(struct shim_map *map, const void *key, const void *value)
{
	struct element *element = malloc(sizeof(*element) + map->key_size);
	__u32 bucket = bucket_of(map, key);

	memcpy(element->key, key, map->key_size);
	element->value = malloc(map->value_size);
	memcpy(element->value, value, map->value_size);
	element->next = map->buckets[bucket];
	map->buckets[bucket] = element;
	map->count++;
}

static struct element **any_place(struct shim_map *map, __u32 from)
{
	for (__u32 i = 0; i < BUCKETS; i++)
		if (map->buckets[(from + i) % BUCKETS])
			return &map->buckets[(from + i) % BUCKETS];
	return NULL;
}

static void *array_at(struct shim_map *map, const void *key)
{
	__u32 index;

	memcpy(&index, key, sizeof(index));
	if (index >= map->max_entries)
		return NULL;
	if (!map->slots[index]) {
		map->slots[index] = calloc(1, map->value_size);
		map->used[map->used_count++] = index;
	}
	return map->slots[index];
}

static bool prefix_matches(const __u8 *rule, const __u8 *question, __u32 bits)
{
	if (memcmp(rule, question, bits / 8))
		return false;
	return !(bits % 8) || !((rule[bits / 8] ^ question[bits / 8]) >> (8 - bits % 8));
}

static void *longest_prefix(struct shim_map *map, const void *key)
{
	struct element *best = NULL;
	__u32 best_bits = 0, limit, bits;

	memcpy(&limit, key, sizeof(limit));
	for (__u32 i = 0; i < BUCKETS; i++) {
		for (struct element *element = map->buckets[i]; element; element = element->next) {
			memcpy(&bits, element->key, sizeof(bits));
			if (bits > limit || (best && bits <= best_bits) ||
			    !prefix_matches(element->key + sizeof(bits), (const __u8 *)key + sizeof(bits), bits))
				continue;
			best = element;
			best_bits = bits;
		}
	}
	return best ? best->value : NULL;
}

void *shim_peek(struct shim_map *map, const void *key)
{
	struct element **place;

	if (is_array(map))
		return array_at(map, key);
	if (map->type == BPF_MAP_TYPE_LPM_TRIE)
		return longest_prefix(map, key);
	place = place_of(map, key);
	return *place ? (*place)->value : NULL;
}

/* What other processors and the agent may do to an element between its lookup and its use. */
static void interfere(struct shim_map *map, const void *key)
{
	struct element **place = place_of(map, key), **other;
	__u8 *copy;

	if (!*place || !shim_one_in(8))
		return;
	if (map->type == BPF_MAP_TYPE_HASH) {
		/* Overwritten with what it was: another block. */
		copy = malloc(map->value_size);
		memcpy(copy, (*place)->value, map->value_size);
		take_out(map, place);
		put_in(map, key, copy);
		free(copy);
		return;
	}
	other = any_place(map, shim_random());
	if (other != place && shim_one_in(2))
		/* Evicted, and given to another key at once. */
		memcpy((*place)->value, (*other)->value, map->value_size);
	else
		take_out(map, place);
}

void *shim_lookup(struct shim_map *map, const void *key)
{
	void *value = shim_peek(map, key);

	if (value && shim_world.interferes && (map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_LRU_HASH))
		interfere(map, key);
	return value;
}

long shim_update(struct shim_map *map, const void *key, const void *value, __u64 flags)
{
	struct element **place;

	if (is_array(map)) {
		void *slot = array_at(map, key);

		if (!slot)
			return -E2BIG;
		memcpy(slot, value, map->value_size);
		return 0;
	}
	place = place_of(map, key);
	if (*place && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!*place && flags == BPF_EXIST)
		return -ENOENT;
	if (shim_fails())
		return -ENOMEM;
	if (*place) {
		take_out(map, place);
	} else if (map->count >= map->limit) {
		if (map->type != BPF_MAP_TYPE_LRU_HASH)
			return -E2BIG;
		take_out(map, any_place(map, shim_random()));
		evictions++;
	}
	put_in(map, key, value);
	return 0;
}

long shim_delete(struct shim_map *map, const void *key)
{
	struct element **place = place_of(map, key);

	if (!*place)
		return -ENOENT;
	take_out(map, place);
	return 0;
}

/* As the kernel's walk: the callback may delete the element and insert others. */
long shim_for_each(struct shim_map *map, shim_callback *call, void *data)
{
	long visited = 0;

	for (__u32 i = 0; i < BUCKETS; i++) {
		struct element *element = map->buckets[i], *next;

		for (; element; element = next) {
			next = element->next;
			visited++;
			if (call(map, element->key, element->value, data))
				return visited;
			/* What is deleted has its neighbours in the graves from here on. */
			if (next && *place_of(map, next->key) != next)
				break;
		}
	}
	return visited;
}

__u32 shim_count(const struct shim_map *map)
{
	return map->count;
}

__u64 shim_evictions(void)
{
	return evictions;
}

const void *shim_any_key(struct shim_map *map, __u32 place)
{
	struct element **found = any_place(map, place);
	struct element *element = found ? *found : NULL;

	for (__u32 i = place / BUCKETS % 4; element && element->next && i; i--)
		element = element->next;
	return element ? element->key : NULL;
}

void shim_limit(struct shim_map *map, __u32 entries)
{
	map->limit = entries < map->max_entries ? entries : map->max_entries;
}

void shim_maps_clear(void)
{
	for (int i = 0; i < MAX_MAPS && maps[i]; i++) {
		struct shim_map *map = maps[i];

		for (__u32 j = 0; j < BUCKETS; j++)
			while (map->buckets[j])
				take_out(map, &map->buckets[j]);
		for (__u32 j = 0; j < map->used_count; j++)
			memset(map->slots[map->used[j]], 0, map->value_size);
	}
	shim_grace();
}

void shim_grace(void)
{
	while (graves) {
		struct element *next = graves->next;

		free(graves->value);
		free(graves);
		graves = next;
	}
}
