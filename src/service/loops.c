#include "loops.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/loop.h"

#define LOOPS_MAX 4

unsigned hf_loops_usable_cores(void)
{
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof(usable), &usable) == 0) {
        return (unsigned)CPU_COUNT(&usable);
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN); /* more than the set has room for */
    return cores < 1 ? 1 : (unsigned)cores;
}

size_t hf_loops_wanted(const char *gomaxprocs, unsigned cores)
{
    char *end = NULL;
    errno = 0;
    bool is_number = gomaxprocs != NULL && isdigit((unsigned char)gomaxprocs[0]);
    unsigned long number = is_number ? strtoul(gomaxprocs, &end, 10) : 0;
    if (number == 0 || errno != 0 || *end != '\0') {
        number = cores;
    }
    return number < LOOPS_MAX ? number : LOOPS_MAX;
}

enum hf_status hf_loops_start(struct hf_host *host)
{
    size_t wanted = hf_loops_wanted(getenv("GOMAXPROCS"), hf_loops_usable_cores());
    host->loops = calloc(wanted, sizeof(struct hf_loop *));
    if (host->loops == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < wanted && status == HF_OK; i++) {
        char name[16];
        snprintf(name, sizeof(name), "loop:%u", (unsigned)i & 15);
        status = hf_loop_new(&host->loops[i]);
        if (status == HF_OK) {
            host->loop_count++;
            status = hf_loop_start_thread(host->loops[i], name);
        }
    }
    return status;
}

void hf_loops_stop(struct hf_host *host)
{
    for (size_t i = 0; i < host->loop_count; i++) {
        hf_loop_join(host->loops[i]);
        hf_loop_free(host->loops[i]);
    }
    free(host->loops);
}
