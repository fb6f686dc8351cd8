/*
 * vectors: clears what a library leaves in the vector registers. ISA-L's functions return with
 * their upper halves in use. Until these are cleared, each change between vector instructions of
 * the old and of the new kind (SSE, AVX) costs a hundred nanoseconds on some CPUs, also long after
 * the call. Any thread; a few cycles; nothing where the CPU has no such registers.
 */
#pragma once

void hf_vectors_clear(void);
