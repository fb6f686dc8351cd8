#include "placed_watches.h"

#include <stdio.h>

#include "util/time/clock.h"

void hf_placed_watches_add(struct hf_placed_watches *places, struct hf_placed_watch *watch,
                           const char *name)
{
    watch->name = name;
    watch->next = places->first;
    places->first = watch;
}

static void look_at_place(void *user, struct hf_slice value)
{
    struct hf_placed_watch *watch = user;
    struct hf_watch_place place;
    bool is_place = hf_watch_place_read(value, &place);
    if (is_place && (watch->place.version[0] == '\0' || place.time_ns < watch->place.time_ns)) {
        watch->place = place;
    }
}

bool hf_placed_watch_find(struct hf_placed_watch *watch, const struct hf_node *node)
{
    return watch->name != NULL &&
           hf_node_checkpoint_each(node, hf_slice_text(watch->name), look_at_place, watch) ==
               HF_OK &&
           watch->place.version[0] != '\0';
}

/* The first place is committed by itself, later ones with records alone. */
void hf_placed_watches_note(struct hf_placed_watches *places, struct hf_placed_watch *watch,
                            const char *version)
{
    bool is_first = watch->place.version[0] == '\0';
    if (watch->name == NULL || version[0] == '\0') {
        return;
    }
    snprintf(watch->place.version, sizeof(watch->place.version), "%s", version);
    watch->place.time_ns = hf_clock_unix_ns();
    watch->has_moved = watch->has_moved || is_first || hf_build_items(places->builder) > 0;
}

/* The next place to commit. False: there is none. */
static bool take_place(struct hf_placed_watches *places, struct hf_offer_place *ret_place)
{
    for (struct hf_placed_watch *watch = places->first; watch != NULL; watch = watch->next) {
        if (watch->has_moved) {
            watch->has_moved = false;
            ret_place->name = watch->name;
            hf_watch_place_print(&watch->place, ret_place->value);
            return true;
        }
    }
    return false;
}

/* Places that no batch carries; they are the places of all that is built, so they come last. */
static void pass_places_on(struct hf_placed_watches *places)
{
    struct hf_offer_place place;
    while (hf_offer_room(places->offer) > 0 && take_place(places, &place)) {
        struct hf_batch *empty = hf_batch_new(HF_LOGS, 0, HF_EMPTY_SLICE);
        if (empty == NULL) {
            return; /* the next one does as well */
        }
        hf_batch_seal(empty, 0, 0);
        hf_offer_add_at(places->offer, empty, &place);
    }
}

void hf_placed_watches_pass_on(struct hf_placed_watches *places)
{
    while (hf_offer_room(places->offer) > 0) {
        struct hf_offer_place place = {.name = NULL};
        if (places->batch == NULL) {
            places->batch = hf_build_take(places->builder);
        }
        struct hf_batch *batch = places->batch;
        if (batch == NULL) {
            pass_places_on(places);
            return;
        }
        places->batch = hf_build_take(places->builder);
        if (places->batch == NULL) {
            (void)take_place(places, &place); /* the last batch carries one */
        }
        hf_offer_add_at(places->offer, batch, &place);
    }
}

uint64_t hf_placed_watches_drop(struct hf_placed_watches *places)
{
    uint64_t items = 0;
    struct hf_batch *batch = places->batch != NULL ? places->batch : hf_build_take(places->builder);
    places->batch = NULL;
    while (batch != NULL) {
        items += batch->items;
        hf_ref_drop(&batch->ref);
        batch = hf_build_take(places->builder);
    }
    return items;
}
