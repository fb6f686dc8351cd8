#include "statement_report.h"

#include "util/time/clock.h"

bool hf_statements_report(struct hf_statements *top, struct hf_scrape *scrape,
                          const struct hf_statement_report *report)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    if (now_ns < top->due_ns) {
        return true;
    }
    if (hf_statements_begin(top, report->rows_max) != HF_OK) {
        hf_scrape_failed(scrape, 0, 1, "out of memory");
        return true;
    }
    bool is_good = report->ask(report->user);
    if (is_good) {
        top->due_ns = now_ns + report->interval_ns;
        if (hf_statements_end(top, report->has_new) != HF_OK || top->is_short) {
            hf_scrape_failed(scrape, 0, 1, "the answer needs more memory than there is");
        }
        size_t count = top->count < report->top_max ? top->count : report->top_max;
        if (report->prepare != NULL) {
            report->prepare(report->user, top->rows, count);
        }
        for (size_t i = 0; i < count; i++) {
            report->write(report->user, &top->rows[i]);
        }
    }
    hf_statements_drop(top);
    return is_good;
}
