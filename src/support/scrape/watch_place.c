#include "watch_place.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hf_watch_place_print(const struct hf_watch_place *place, char ret_text[HF_OFFER_PLACE_MAX])
{
    snprintf(ret_text, HF_OFFER_PLACE_MAX, "%" PRIu64 " %s", place->time_ns, place->version);
}

bool hf_watch_place_read(struct hf_slice text, struct hf_watch_place *ret_place)
{
    char room[HF_OFFER_PLACE_MAX], *end;
    if (text.size == 0 || text.size >= sizeof(room) || !isdigit(text.data[0])) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    struct hf_watch_place place = {.time_ns = strtoull(room, &end, 10)};
    size_t size = strlen(end);
    if (*end != ' ' || size < 2 || size > sizeof(place.version)) {
        return false;
    }
    memcpy(place.version, end + 1, size);
    *ret_place = place;
    return true;
}
