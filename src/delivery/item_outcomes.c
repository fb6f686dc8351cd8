#include "item_outcomes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "export_request.h"

/* Some neighbouring items of a record, and what the backend said of them. */
struct piece {
    struct record_range range;
    const struct hf_item_outcome *said; /* NULL: they are delivered */
};

struct pieces {
    struct piece *items;
    size_t count;
    uint32_t at;                              /* items of the request before the next piece */
    const struct hf_item_outcome *said, *end; /* those that are not behind `at` */
};

/* The next piece of a range, which becomes shorter by it. */
static struct piece cut(struct pieces *pieces, struct record_range *range)
{
    while (pieces->said != pieces->end &&
           pieces->at >= (uint64_t)pieces->said->first + pieces->said->count) {
        pieces->said++;
    }
    const struct hf_item_outcome *said = pieces->said != pieces->end ? pieces->said : NULL;
    bool is_in = said != NULL && pieces->at >= said->first;
    uint64_t border = UINT64_MAX;
    if (said != NULL) {
        border = is_in ? (uint64_t)said->first + said->count : said->first;
    }
    uint32_t count =
        border - pieces->at < range->count ? (uint32_t)(border - pieces->at) : range->count;
    struct piece piece = {{range->record, range->first, count},
                          is_in && said->status != HF_OK ? said : NULL};
    range->first += count;
    range->count -= count;
    pieces->at += count;
    return piece;
}

/* Each outcome adds two borders at most, each range one. */
static bool cut_all(const struct export_request *request, const struct hf_outcome *outcome,
                    struct pieces *pieces)
{
    *pieces = (struct pieces){
        .items = calloc(request->count + 2 * outcome->item_count, sizeof(*pieces->items)),
        .said = outcome->items,
        .end = outcome->items + outcome->item_count};
    for (size_t i = 0; pieces->items != NULL && i < request->count; i++) {
        struct record_range range = request->ranges[i];
        while (range.count != 0) {
            pieces->items[pieces->count++] = cut(pieces, &range);
        }
    }
    assert(pieces->count <= request->count + 2 * outcome->item_count);
    return pieces->items != NULL;
}

enum part { PART_DELIVERED, PART_AGAIN, PART_NEVER };

static enum part part_of(const struct hf_item_outcome *said)
{
    if (said == NULL) {
        return PART_DELIVERED;
    }
    if (said->group != 0) {
        return PART_AGAIN; /* whatever follows from its status */
    }
    switch (said->status) {
    case HF_TOO_LARGE:
    case HF_INVALID:
    case HF_EXISTS:
    case HF_CORRUPT:
        return PART_NEVER;
    default:
        return PART_AGAIN;
    }
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* May they be in one part? Dead letters are of one record and have one reason. */
static bool belongs(const struct piece *first, const struct piece *other)
{
    enum part part = part_of(first->said);
    if (part != part_of(other->said) || other->range.count == 0) {
        return false;
    }
    if (part == PART_AGAIN && first->said->group != other->said->group) {
        return false;
    }
    return part != PART_NEVER ||
           (first->range.record == other->range.record && first->said->code == other->said->code &&
            first->said->status == other->said->status &&
            is_same_text(first->said->message, other->said->message));
}

/* Moves the pieces of a part into `ranges`; a piece that was moved is empty. Returns how many. */
static size_t gather(struct pieces *pieces, size_t from, struct record_range *ranges)
{
    struct piece first = pieces->items[from];
    bool is_never = part_of(first.said) == PART_NEVER;
    size_t count = 0;
    for (size_t i = from; i < pieces->count; i++) {
        struct piece *piece = &pieces->items[i];
        if (is_never && piece->range.record != first.range.record) {
            break; /* the ranges of one record are neighbours */
        }
        if (belongs(&first, piece)) {
            ranges[count++] = piece->range;
            piece->range.count = 0;
        }
    }
    return count;
}

static enum hf_status make_part(const struct export_request *request,
                                const struct hf_item_outcome *said,
                                const struct record_range *ranges, size_t count,
                                struct item_outcome_part *ret_part, const struct hf_outcome *whole)
{
    if (said == NULL) {
        ret_part->outcome = *whole;
        ret_part->outcome.items = NULL;
        ret_part->outcome.item_count = 0;
        ret_part->request = hf_export_request_new_settled(request->reader, ranges, count);
        return ret_part->request != NULL ? HF_OK : HF_NOMEM;
    }
    ret_part->outcome = (struct hf_outcome){
        .status = said->status,
        .code = said->code,
        .message = said->message,
        .is_suspect = said->group != 0 && said->is_suspect,
        .retry_after_ns = said->group != 0 ? said->retry_after_ns : whole->retry_after_ns};
    ret_part->group = said->group;
    return hf_export_request_new(request->reader, ranges, count, &ret_part->request);
}

static enum hf_status make_parts(const struct export_request *request,
                                 const struct hf_outcome *outcome, struct pieces *pieces,
                                 struct record_range *ranges, struct item_outcomes *parts)
{
    static const enum part order[] = {PART_DELIVERED, PART_AGAIN, PART_NEVER};
    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
        for (size_t i = 0; i < pieces->count; i++) {
            const struct hf_item_outcome *said = pieces->items[i].said;
            if (pieces->items[i].range.count == 0 || part_of(said) != order[k]) {
                continue;
            }
            size_t count = gather(pieces, i, ranges);
            enum hf_status status =
                make_part(request, said, ranges, count, &parts->items[parts->count], outcome);
            if (status != HF_OK) {
                return status;
            }
            struct export_request *part = parts->items[parts->count++].request;
            part->round = request->round;
            part->export.attempt = request->export.attempt;
        }
    }
    return HF_OK;
}

enum hf_status hf_item_outcomes_make(const struct export_request *request,
                                     const struct hf_outcome *outcome,
                                     struct item_outcomes *ret_parts)
{
    struct pieces pieces;
    *ret_parts = (struct item_outcomes){0};
    if (!cut_all(request, outcome, &pieces)) {
        return HF_NOMEM;
    }
    struct record_range *ranges = calloc(pieces.count, sizeof(*ranges));
    ret_parts->items = calloc(pieces.count, sizeof(*ret_parts->items));
    enum hf_status status = ranges != NULL && ret_parts->items != NULL
                                ? make_parts(request, outcome, &pieces, ranges, ret_parts)
                                : HF_NOMEM;
    free(ranges);
    free(pieces.items);
    if (status != HF_OK) {
        for (size_t i = 0; i < ret_parts->count; i++) {
            hf_export_request_free(ret_parts->items[i].request);
        }
        hf_item_outcomes_release(ret_parts);
    }
    return status;
}

void hf_item_outcomes_release(struct item_outcomes *parts)
{
    free(parts->items);
    *parts = (struct item_outcomes){0};
}
