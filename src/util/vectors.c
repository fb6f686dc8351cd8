#include "vectors.h"

#if defined(__x86_64__)

__attribute__((target("avx"))) static void clear(void)
{
    __builtin_ia32_vzeroupper();
}

void hf_vectors_clear(void)
{
    if (__builtin_cpu_supports("avx")) {
        clear();
    }
}

#else

void hf_vectors_clear(void)
{
}

#endif
