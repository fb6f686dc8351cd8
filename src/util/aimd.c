#include "aimd.h"

#include <assert.h>

#include "util/time/clock.h"

/* A sender that comes this late may catch up: timers are not exact, and the rate should be. */
#define LATE_NS (HF_NS_PER_S / 10)

void hf_window_init(struct hf_window *window, unsigned most)
{
    assert(most != 0);
    *window = (struct hf_window){.now = most, .most = most};
}

void hf_window_grow(struct hf_window *window)
{
    if (window->now == window->most || ++window->taken < window->now) {
        return;
    }
    window->now++;
    window->taken = 0;
}

void hf_window_cut(struct hf_window *window, unsigned round)
{
    if (round != window->round) {
        return;
    }
    window->now = window->now > 1 ? window->now / 2 : 1;
    window->taken = 0;
    window->round++;
}

bool hf_meter_is_free(const struct hf_meter *meter, uint64_t now_ns)
{
    return meter->bytes_per_s == 0 || now_ns >= meter->free_ns;
}

void hf_meter_take(struct hf_meter *meter, uint64_t bytes, uint64_t now_ns)
{
    if (meter->bytes_per_s == 0) {
        return;
    }
    uint64_t from_ns = now_ns > LATE_NS ? now_ns - LATE_NS : 0;
    if (meter->free_ns > from_ns) {
        from_ns = meter->free_ns;
    }
    meter->free_ns =
        from_ns + (uint64_t)((double)bytes * (double)HF_NS_PER_S / (double)meter->bytes_per_s);
}
