/*
 * failing: runs scenarios with the n-th allocation failing, for n = 1, 2, 3 ... until none is left
 * to fail; once with that one alone, once with all that follow it.
 *
 * Only allocations of our own objects count: the linker puts failing.c between them and the C
 * library (--wrap). So does it with what other libraries make for us (an SSL, a decompressor, a
 * thread). The scenario's own code is left alone, see CMakeLists.txt.
 *
 * A scenario works between alloc_begin() and alloc_end(), once or several times, and then looks at
 * what became of it, with memory enough. It asserts what must be true in any case and returns
 * whether all went as if nothing had failed. Each scenario is a process of its own: a crash, a leak
 * (where the build can tell) or a hang in it fails the test, with the number that repeats it:
 *
 *     alloc_wal NAME N [on]
 */
#pragma once

#include <stdbool.h>

struct alloc_scenario {
    const char *name;
    bool (*run)(void);
    /* Waits for others: with everything failing it could wait for good. Only the n-th fails. */
    bool once_only;
};

/* From here on allocations count, on every thread; and no more. */
void alloc_begin(void);
void alloc_end(void);

/* `scenarios` ends with one without a name. Returns the status to exit with. */
int alloc_main(int argc, char **argv, const struct alloc_scenario *scenarios);
