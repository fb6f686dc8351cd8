/*
 * check: acknowledged minus arrived must be empty.
 */
#include <inttypes.h>
#include <stdio.h>

#include "storm.h"
#include "truth.h"

int storm_check(const struct storm_options *options)
{
    struct storm_truth acked;
    struct storm_truth arrived;
    uint64_t acknowledged = 0;
    uint64_t lost = 0;
    uint64_t repeated = 0;
    uint64_t first_lost = 0;
    if (!storm_truth_open(&acked, options->acked, 0) ||
        !storm_truth_open(&arrived, options->arrived, 0)) {
        perror("truth file");
        return 2;
    }
    for (uint64_t request = 0; request < acked.count; request++) {
        for (uint32_t i = 0; acked.marks[request] != 0 && i < options->items; i++) {
            uint64_t number = request * options->items + i;
            bool there = number < arrived.count && arrived.marks[number] != 0;
            acknowledged++;
            first_lost = !there && lost == 0 ? number : first_lost;
            lost += there ? 0 : 1;
        }
    }
    for (uint64_t number = 0; number < arrived.count; number++) {
        repeated += arrived.marks[number] > 1 ? arrived.marks[number] - 1u : 0;
    }
    printf("{\"acknowledged\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"repeated\":%" PRIu64
           ",\"first_lost\":%" PRIu64 "}\n",
           acknowledged, lost, repeated, first_lost);
    storm_truth_close(&acked);
    storm_truth_close(&arrived);
    return lost == 0 ? 0 : 1;
}
