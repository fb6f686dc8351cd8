/*
 * pprof_pages: the profiles that are made at once: of the allocator and of the threads; and the
 * making of a CPU profile's file. No state; any thread.
 */
#pragma once

#include "cpu_profile.h"
#include "util/compress/compress.h"

/* A CPU profile that was stopped, as pprof reads it; appended. */
HF_MUST_USE enum hf_status hf_pprof_cpu(const struct hf_cpu_profile *profile, struct hf_bytes *out);
/* What the allocator holds, as a profile of made-up functions: it does not know who asked for it.
 */
HF_MUST_USE enum hf_status hf_pprof_heap(struct hf_bytes *out);
/* The same as text: mallinfo2 and malloc_info. */
HF_MUST_USE enum hf_status hf_pprof_heap_text(struct hf_bytes *out);
/* The threads by name: how many, and the CPU time of each name. */
HF_MUST_USE enum hf_status hf_pprof_threads(struct hf_bytes *out);
HF_MUST_USE enum hf_status hf_pprof_threads_text(struct hf_bytes *out);
/* pprof's symbol page: the names of addresses ("0x1234+0x5678"). */
HF_MUST_USE enum hf_status hf_pprof_symbols(struct hf_slice addresses, struct hf_bytes *out);
