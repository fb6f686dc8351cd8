/*
 * bench-scan SPANS: scans requests of 100 spans, so many spans in all. For counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../../chaos/storm/body.h"
#include "pdata/scan.h"

#define SPANS 100u

int main(int argc, char **argv)
{
    unsigned long left = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    struct storm_body body;
    struct hf_scan found = {.items = 0};
    if (left < SPANS || !storm_body_make(&body, HF_TRACES, SPANS, 1)) {
        fputs("usage: bench-scan SPANS\n", stderr);
        return 2;
    }
    storm_body_number(&body, 0);
    for (; left >= SPANS; left -= SPANS) {
        if (hf_scan(HF_TRACES, hf_slice_of(body.bytes.data, body.bytes.size), &found) != HF_OK ||
            found.items != SPANS) {
            fputs("a good request was refused\n", stderr);
            return 1;
        }
    }
    storm_body_release(&body);
    return 0;
}
