#include "progress.h"

#include <inttypes.h>

#include "util/time/clock.h"

#define EVERY_NS (250 * HF_NS_PER_MS)

void hf_progress_begin(struct hf_progress *progress, bool is_wanted, uint64_t total, FILE *out)
{
    *progress = (struct hf_progress){.out = is_wanted ? out : NULL, .total = total};
}

void hf_progress_step(struct hf_progress *progress, uint64_t more)
{
    uint64_t now_ns = progress->out != NULL ? hf_clock_coarse_ns() : 0;
    progress->done += more;
    if (progress->out == NULL || now_ns - progress->said_ns < EVERY_NS) {
        return;
    }
    progress->said_ns = now_ns;
    fprintf(progress->out, "%c%" PRIu64 " %" PRIu64 "\n", HF_PROGRESS_MARK, progress->done,
            progress->total);
    fflush(progress->out);
}
