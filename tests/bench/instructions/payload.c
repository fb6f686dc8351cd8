/*
 * bench-payload CODING RECORDS: makes export bodies of eight plain records of 100 spans each, so
 * many records in all. For counting instructions.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../../chaos/storm/body.h"
#include "pdata/payload.h"

#define SPANS 100u
#define TOGETHER 8u

int main(int argc, char **argv)
{
    struct storm_body made[TOGETHER];
    struct hf_export_body bodies[TOGETHER];
    struct hf_payload payload = {.count = 0};
    enum hf_coding coding = HF_IDENTITY;
    if (argc != 3 || hf_coding_by_name(hf_slice_text(argv[1]), &coding) != HF_OK) {
        fputs("usage: bench-payload CODING RECORDS\n", stderr);
        return 2;
    }
    for (unsigned i = 0; i < TOGETHER; i++) {
        if (!storm_body_make(&made[i], HF_TRACES, SPANS, i + 1)) {
            return 1;
        }
        storm_body_number(&made[i], i);
        bodies[i] = (struct hf_export_body){
            .wire = hf_slice_of(made[i].bytes.data, made[i].bytes.size),
            .items = SPANS,
            .raw_size = made[i].bytes.size,
        };
    }
    for (unsigned long left = strtoul(argv[2], NULL, 10); left >= TOGETHER; left -= TOGETHER) {
        if (hf_payload_build(&payload, bodies, TOGETHER, coding, 0, true) != HF_OK) {
            fputs("the body was not built\n", stderr);
            return 1;
        }
    }
    hf_payload_release(&payload);
    for (unsigned i = 0; i < TOGETHER; i++) {
        storm_body_release(&made[i]);
    }
    return 0;
}
