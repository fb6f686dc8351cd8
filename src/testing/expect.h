/*
 * expect: compares what came out of a place with what a test expects of it.
 */
#pragma once

#include "ends.h"
#include "test_file.h"

/* True: all is as expected. Else `reterr` (HF_TEST_WHY_MAX) says what is not: one sentence. */
#define HF_TEST_WHY_MAX 2048
HF_MUST_USE bool hf_test_expect(const struct hf_test_ends *ends, const struct hf_test_place *place,
                                const struct hf_test_expect *expect, char *reterr);
