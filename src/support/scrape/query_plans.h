/*
 * query_plans: the plans of forms of statements that a database server was asked for, each kept for
 * a time, since asking costs the server work and a plan seldom changes. That there is none is kept
 * too. And which statements have a plan.
 *
 * Full, it forgets the plans that were looked up longest ago. Owned by one thread: zeroed but for
 * the limits at first, hf_plans_release() at last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

/* A longer plan is kept as none: a log record with it would pass the limits of backends. */
#define HF_PLAN_BYTES_MAX ((size_t)256 << 10)
/* Of all plans together. */
#define HF_PLANS_BYTES_MAX ((size_t)32 << 20)

struct hf_plan; /* of one form */

struct hf_plans {
    size_t most;     /* forms */
    uint64_t ttl_ns; /* how long one is kept */
    /* The struct's own. */
    struct hf_plan *plans; /* by their hash */
    size_t count, room, bytes;
    uint64_t looks;
};

void hf_plans_release(struct hf_plans *plans);

/* False: it is to be asked for. `ret_plan`: empty when there is none; valid until one is kept.
 * `now_ns`: monotonic. */
HF_MUST_USE bool hf_plans_find(struct hf_plans *plans, uint64_t hash, uint64_t now_ns,
                               struct hf_slice *ret_plan);

/* Copies it; empty: the form has none. Without memory it is not kept. */
void hf_plans_keep(struct hf_plans *plans, uint64_t hash, uint64_t now_ns, struct hf_slice plan);

/* Does a statement begin with one of the words (in small letters, up to NULL), behind blanks and
 * comments? `has_hash`: # begins a comment. */
HF_MUST_USE bool hf_sql_begins_with(struct hf_slice text, const char *const *words, bool has_hash);
