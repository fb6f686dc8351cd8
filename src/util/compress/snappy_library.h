/*
 * snappy_library: libsnappy's functions, loaded when something is first packed or unpacked with
 * them. It brings the C++ library, which a process that never sees snappy would hold in memory for
 * nothing.
 */
#ifndef HF_SNAPPY_LIBRARY_H
#define HF_SNAPPY_LIBRARY_H

#include <snappy-c.h>

struct hf_snappy_library {
    __typeof__(snappy_compress) *compress;
    __typeof__(snappy_uncompress) *uncompress;
    __typeof__(snappy_max_compressed_length) *max_compressed_length;
    __typeof__(snappy_uncompressed_length) *uncompressed_length;
};

/* Any thread. NULL when the library is not installed (Debian: libsnappy1v5); a later call tries
 * again no more. */
const struct hf_snappy_library *hf_snappy_library(void);

#endif
