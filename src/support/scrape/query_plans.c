#include "query_plans.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/grow.h"

struct hf_plan {
    uint64_t hash, due_ns; /* not used from then on */
    uint64_t look;         /* number of the latest look-up */
    uint8_t *text;         /* NULL: none */
    size_t size;
};

void hf_plans_release(struct hf_plans *plans)
{
    for (size_t i = 0; i < plans->count; i++) {
        free(plans->plans[i].text);
    }
    free(plans->plans);
    *plans = (struct hf_plans){.most = plans->most, .ttl_ns = plans->ttl_ns};
}

/* Where the hash is or would be. */
static size_t place_of(const struct hf_plans *plans, uint64_t hash)
{
    size_t low = 0, high = plans->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plans->plans[middle].hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void forget(struct hf_plans *plans, size_t place)
{
    struct hf_plan *plan = &plans->plans[place];
    plans->bytes -= plan->size;
    free(plan->text);
    memmove(plan, plan + 1, (plans->count - place - 1) * sizeof(*plan));
    plans->count--;
}

bool hf_plans_find(struct hf_plans *plans, uint64_t hash, uint64_t now_ns,
                   struct hf_slice *ret_plan)
{
    size_t place = place_of(plans, hash);
    *ret_plan = HF_EMPTY_SLICE;
    if (place == plans->count || plans->plans[place].hash != hash) {
        return false;
    }
    struct hf_plan *plan = &plans->plans[place];
    if (plan->due_ns <= now_ns) {
        forget(plans, place);
        return false;
    }
    plan->look = ++plans->looks;
    *ret_plan = hf_slice_of(plan->text, plan->size);
    return true;
}

static void make_room(struct hf_plans *plans, size_t size)
{
    while (plans->count != 0 &&
           (plans->count >= plans->most || plans->bytes + size > HF_PLANS_BYTES_MAX)) {
        size_t oldest = 0;
        for (size_t i = 1; i < plans->count; i++) {
            oldest = plans->plans[i].look < plans->plans[oldest].look ? i : oldest;
        }
        forget(plans, oldest);
    }
}

static bool grow(struct hf_plans *plans)
{
    return hf_grow(&plans->plans, &plans->room, plans->count + 1, sizeof(*plans->plans));
}

void hf_plans_keep(struct hf_plans *plans, uint64_t hash, uint64_t now_ns, struct hf_slice plan)
{
    size_t size = plan.size <= HF_PLAN_BYTES_MAX ? plan.size : 0;
    struct hf_slice before;
    if (hf_plans_find(plans, hash, now_ns, &before)) {
        forget(plans, place_of(plans, hash));
    }
    make_room(plans, size);
    uint8_t *text = size != 0 ? malloc(size) : NULL;
    if ((size != 0 && text == NULL) || !grow(plans)) {
        free(text);
        return;
    }
    if (size != 0) {
        memcpy(text, plan.data, size);
    }
    size_t place = place_of(plans, hash);
    struct hf_plan *kept = &plans->plans[place];
    memmove(kept + 1, kept, (plans->count - place) * sizeof(*kept));
    *kept = (struct hf_plan){hash, now_ns + plans->ttl_ns, ++plans->looks, text, size};
    plans->count++;
    plans->bytes += size;
}

/* ---- statements ---- */

static bool begins(struct hf_slice text, const char *with)
{
    size_t size = strlen(with);
    return text.size >= size && memcmp(text.data, with, size) == 0;
}

/* Behind `end`; empty when it is not there. */
static struct hf_slice behind(struct hf_slice text, const char *end)
{
    const uint8_t *found = memmem(text.data, text.size, end, strlen(end));
    size_t skipped = found != NULL ? (size_t)(found - text.data) + strlen(end) : text.size;
    return hf_slice_of(text.data + skipped, text.size - skipped);
}

static struct hf_slice behind_comments(struct hf_slice text, bool has_hash)
{
    for (;;) {
        if (text.size != 0 && isspace(text.data[0])) {
            text = hf_slice_of(text.data + 1, text.size - 1);
        } else if (begins(text, "/*")) {
            text = behind(hf_slice_of(text.data + 2, text.size - 2), "*/");
        } else if (begins(text, "--") || (has_hash && begins(text, "#"))) {
            text = behind(text, "\n");
        } else {
            return text;
        }
    }
}

bool hf_sql_begins_with(struct hf_slice text, const char *const *words, bool has_hash)
{
    struct hf_slice rest = behind_comments(text, has_hash);
    size_t size = 0;
    while (size < rest.size && isalpha(rest.data[size])) {
        size++;
    }
    while (*words != NULL &&
           (strlen(*words) != size || strncasecmp(*words, (const char *)rest.data, size) != 0)) {
        words++;
    }
    return size != 0 && *words != NULL;
}
