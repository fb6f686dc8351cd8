/*
 * trace_table: one table of slots for both kinds, with open addressing. A slot has 32 bits of the
 * hash, so that looking for an id that is not there reads one line of memory, and moving slots
 * reads no other. Traces stand in chunks, the place that was freed last is used first; verdicts in
 * a ring.
 */
#include "trace_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/time/clock.h"

#define SLOTS_LEAST 1024u
#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define CHUNK_TRACES 1024u /* a power of two */
#define VERDICT_MARK UINT32_C(0x80000000)
#define VERDICTS_MAX ((size_t)VERDICT_MARK)

struct hf_trace_slot {
    uint32_t tag; /* of the hash */
    uint32_t ref; /* 0: empty; the number of a trace plus 1; VERDICT_MARK and that of a verdict */
};

struct hf_trace_chunk {
    struct hf_trace_chunk *previous, *next; /* among those with room */
    struct hf_trace *free;                  /* linked by `next` */
    uint32_t index, used, fresh;            /* of the traces; the first that was never used */
    struct hf_trace traces[CHUNK_TRACES];
};

/* ---- slots ---- */

static struct hf_trace *trace_of(const struct hf_trace_table *table, uint32_t ref)
{
    uint32_t number = ref - 1;
    return &table->chunks[number / CHUNK_TRACES]->traces[number % CHUNK_TRACES];
}

static struct hf_trace_verdict *verdict_of(const struct hf_trace_table *table, uint64_t number)
{
    return &table->verdicts[number & (table->verdict_room - 1)];
}

static uint32_t ref_of_verdict(uint64_t number)
{
    return (uint32_t)(number & (VERDICT_MARK - 1)) | VERDICT_MARK;
}

static const uint8_t *id_of(const struct hf_trace_table *table, uint32_t ref)
{
    return (ref & VERDICT_MARK) != 0 ? verdict_of(table, ref & ~VERDICT_MARK)->id
                                     : trace_of(table, ref)->id;
}

/* The slot that has the id, or the empty one where it would be. */
static struct hf_trace_slot *slot_of(const struct hf_trace_table *table, const uint8_t *id,
                                     uint64_t hash)
{
    size_t mask = table->size - 1;
    uint32_t tag = (uint32_t)hash;
    size_t at = tag & mask;
    for (;; at = (at + 1) & mask) {
        struct hf_trace_slot *slot = &table->slots[at];
        if (slot->ref == 0 ||
            (slot->tag == tag && memcmp(id_of(table, slot->ref), id, HF_TRACE_ID_SIZE) == 0)) {
            return slot;
        }
    }
}

/* The slot that stands for what has that id: a trace or a verdict that is there. */
static struct hf_trace_slot *slot_of_ref(const struct hf_trace_table *table, uint32_t ref,
                                         const uint8_t *id)
{
    size_t mask = table->size - 1;
    size_t at = (uint32_t)hf_trace_hash(id) & mask;
    while (table->slots[at].ref != ref) {
        at = (at + 1) & mask;
    }
    return &table->slots[at];
}

static struct hf_trace_slot *slot_of_trace(const struct hf_trace_table *table,
                                           const struct hf_trace *trace)
{
    return slot_of_ref(table, trace->number + 1, trace->id);
}

/* Large ones stand in huge pages where the machine has them, as they are read here and there. */
static struct hf_trace_slot *new_slots(size_t size)
{
    size_t bytes = size * sizeof(struct hf_trace_slot);
    if (bytes < 2 * HUGE_PAGE_BYTES) {
        return calloc(size, sizeof(struct hf_trace_slot));
    }
    void *slots = aligned_alloc(HUGE_PAGE_BYTES, bytes);
    if (slots != NULL) {
        (void)madvise(slots, bytes, MADV_HUGEPAGE);
        memset(slots, 0, bytes);
    }
    return slots;
}

/* Three quarters are in use at most. */
static bool grow_slots(struct hf_trace_table *table)
{
    if (table->count + 1 <= table->size / 4 * 3) {
        return true;
    }
    size_t size = table->size == 0 ? SLOTS_LEAST : table->size * 2;
    struct hf_trace_slot *slots = new_slots(size);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->size; i++) {
        if (table->slots[i].ref != 0) {
            size_t at = table->slots[i].tag & (size - 1);
            while (slots[at].ref != 0) {
                at = (at + 1) & (size - 1);
            }
            slots[at] = table->slots[i];
        }
    }
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return true;
}

/* Those behind that would not be found any more move up. */
static void empty_slot(struct hf_trace_table *table, struct hf_trace_slot *slot)
{
    size_t mask = table->size - 1;
    size_t at = (size_t)(slot - table->slots);
    for (size_t next = (at + 1) & mask; table->slots[next].ref != 0; next = (next + 1) & mask) {
        size_t home = table->slots[next].tag & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            table->slots[at] = table->slots[next];
            at = next;
        }
    }
    table->slots[at] = (struct hf_trace_slot){0};
    table->count--;
}

struct hf_trace_found hf_trace_find(const struct hf_trace_table *table, const uint8_t *id,
                                    uint64_t hash)
{
    struct hf_trace_found found = {NULL, NULL};
    uint32_t ref = table->size != 0 ? slot_of(table, id, hash)->ref : 0;
    if ((ref & VERDICT_MARK) != 0) {
        found.verdict = verdict_of(table, ref & ~VERDICT_MARK);
    } else if (ref != 0) {
        found.trace = trace_of(table, ref);
    }
    return found;
}

void hf_trace_prefetch(const struct hf_trace_table *table, uint64_t hash)
{
    if (table->size != 0) {
        __builtin_prefetch(&table->slots[(uint32_t)hash & (table->size - 1)], 1);
    }
}

/* ---- chunks ---- */

static void link_chunk(struct hf_trace_table *table, struct hf_trace_chunk *chunk)
{
    chunk->previous = NULL;
    chunk->next = table->with_room;
    if (chunk->next != NULL) {
        chunk->next->previous = chunk;
    }
    table->with_room = chunk;
}

static void unlink_chunk(struct hf_trace_table *table, struct hf_trace_chunk *chunk)
{
    *(chunk->previous != NULL ? &chunk->previous->next : &table->with_room) = chunk->next;
    if (chunk->next != NULL) {
        chunk->next->previous = chunk->previous;
    }
}

/* A number that no chunk has; more room for them if need be. False: out of memory. */
static bool find_index(struct hf_trace_table *table, size_t *ret_index)
{
    size_t index = 0;
    while (index < table->chunk_count && table->chunks[index] != NULL) {
        index++;
    }
    if (index >= VERDICT_MARK / CHUNK_TRACES - 1) {
        return false;
    }
    if (index == table->chunk_count) {
        size_t count = table->chunk_count == 0 ? 16 : table->chunk_count * 2;
        struct hf_trace_chunk **chunks = reallocarray(table->chunks, count, sizeof(*chunks));
        if (chunks == NULL) {
            return false;
        }
        memset(chunks + index, 0, (count - index) * sizeof(struct hf_trace_chunk *));
        table->chunks = chunks;
        table->chunk_count = count;
    }
    *ret_index = index;
    return true;
}

static bool add_chunk(struct hf_trace_table *table)
{
    size_t index = 0;
    struct hf_trace_chunk *chunk =
        find_index(table, &index) ? malloc(sizeof(struct hf_trace_chunk)) : NULL;
    if (chunk == NULL) {
        return false;
    }
    chunk->free = NULL;
    chunk->index = (uint32_t)index;
    chunk->used = 0;
    chunk->fresh = 0;
    table->chunks[index] = chunk;
    link_chunk(table, chunk);
    return true;
}

/* NULL: out of memory. */
static struct hf_trace *take_trace(struct hf_trace_table *table)
{
    if (table->with_room == NULL && !add_chunk(table)) {
        return NULL;
    }
    struct hf_trace_chunk *chunk = table->with_room;
    struct hf_trace *trace = chunk->free;
    if (trace != NULL) {
        chunk->free = trace->next;
    } else {
        trace = &chunk->traces[chunk->fresh++];
    }
    if (++chunk->used == CHUNK_TRACES) {
        unlink_chunk(table, chunk);
    }
    *trace = (struct hf_trace){.number =
                                   chunk->index * CHUNK_TRACES + (uint32_t)(trace - chunk->traces)};
    table->trace_count++;
    return trace;
}

/* One chunk without traces stays, for the next. */
static void give_trace(struct hf_trace_table *table, struct hf_trace *trace)
{
    struct hf_trace_chunk *chunk = table->chunks[trace->number / CHUNK_TRACES];
    trace->next = chunk->free;
    chunk->free = trace;
    table->trace_count--;
    if (chunk->used-- == CHUNK_TRACES) {
        link_chunk(table, chunk);
    }
    if (chunk->used == 0 && (chunk->previous != NULL || chunk->next != NULL)) {
        unlink_chunk(table, chunk);
        table->chunks[chunk->index] = NULL;
        free(chunk);
    }
}

/* ---- traces ---- */

/* Each trace that is there can be remembered, and one more. */
static bool reserve_verdicts(struct hf_trace_table *table)
{
    size_t needed = table->trace_count + hf_trace_verdicts(table) + 1;
    size_t old = table->verdict_room, room = old == 0 ? 64 : old;
    if (needed <= old) {
        return true;
    }
    while (room < needed) {
        room *= 2;
    }
    struct hf_trace_verdict *verdicts =
        room <= VERDICTS_MAX ? reallocarray(table->verdicts, room, sizeof(*verdicts)) : NULL;
    if (verdicts == NULL) {
        return false;
    }
    table->verdicts = verdicts;
    table->verdict_room = room;
    for (uint64_t i = table->verdict_first; i < table->verdict_end; i++) {
        if ((i & (old - 1)) != (i & (room - 1))) {
            verdicts[i & (room - 1)] = verdicts[i & (old - 1)];
        }
    }
    return true;
}

struct hf_trace *hf_trace_add(struct hf_trace_table *table, const uint8_t *id, uint64_t hash)
{
    if (!grow_slots(table) || !reserve_verdicts(table)) {
        return NULL;
    }
    struct hf_trace *trace = take_trace(table);
    if (trace == NULL) {
        return NULL;
    }
    struct hf_trace_slot *slot = slot_of(table, id, hash);
    memcpy(trace->id, id, HF_TRACE_ID_SIZE);
    if ((slot->ref & VERDICT_MARK) != 0) {
        verdict_of(table, slot->ref & ~VERDICT_MARK)->is_out = true;
        trace->known_before = slot->ref;
    } else {
        assert(slot->ref == 0);
        table->count++;
    }
    *slot = (struct hf_trace_slot){(uint32_t)hash, trace->number + 1};
    return trace;
}

void hf_trace_remove(struct hf_trace_table *table, struct hf_trace *trace)
{
    struct hf_trace_slot *slot = slot_of_trace(table, trace);
    if (trace->known_before != 0) {
        slot->ref = trace->known_before;
        verdict_of(table, slot->ref & ~VERDICT_MARK)->is_out = false;
    } else {
        empty_slot(table, slot);
    }
    give_trace(table, trace);
}

void hf_trace_remember(struct hf_trace_table *table, struct hf_trace *trace, bool is_sampled,
                       uint64_t decided_ns)
{
    if (trace->known_before != 0) {
        hf_trace_remove(table, trace);
        return;
    }
    uint64_t wait_ms =
        decided_ns > trace->received_ns ? (decided_ns - trace->received_ns) / HF_NS_PER_MS : 0;
    uint64_t number = table->verdict_end++;
    struct hf_trace_verdict *verdict = verdict_of(table, number);
    *verdict =
        (struct hf_trace_verdict){.received_ns = trace->received_ns,
                                  .wait_ms = wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX,
                                  .is_sampled = is_sampled};
    memcpy(verdict->id, trace->id, HF_TRACE_ID_SIZE);
    slot_of_trace(table, trace)->ref = ref_of_verdict(number);
    give_trace(table, trace);
}

/* ---- verdicts ---- */

size_t hf_trace_verdicts(const struct hf_trace_table *table)
{
    return (size_t)(table->verdict_end - table->verdict_first);
}

struct hf_trace_verdict hf_trace_forget(struct hf_trace_table *table)
{
    assert(table->verdict_first < table->verdict_end);
    struct hf_trace_verdict verdict = *verdict_of(table, table->verdict_first++);
    struct hf_trace_slot *slot = slot_of(table, verdict.id, hf_trace_hash(verdict.id));
    if (verdict.is_out) {
        trace_of(table, slot->ref)->known_before = 0;
    } else {
        empty_slot(table, slot);
    }
    return verdict;
}

/* ---- all ---- */

void hf_trace_each(const struct hf_trace_table *table, void (*visit)(struct hf_trace *trace))
{
    for (size_t i = 0; i < table->size; i++) {
        uint32_t ref = table->slots[i].ref;
        if (ref != 0 && (ref & VERDICT_MARK) == 0) {
            visit(trace_of(table, ref));
        }
    }
}

void hf_trace_table_release(struct hf_trace_table *table)
{
    for (size_t i = 0; i < table->chunk_count; i++) {
        free(table->chunks[i]);
    }
    free(table->chunks);
    free(table->slots);
    free(table->verdicts);
    *table = (struct hf_trace_table){0};
}
