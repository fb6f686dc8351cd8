#include "failing.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* needs those before it */

/* A run that takes so long hangs. */
#define PATIENCE_S 60
/* Runs wait for time-outs more than they work: so many at once. */
#define CHILDREN 4u

static struct {
    atomic_bool counts;   /* between alloc_begin() and alloc_end() */
    atomic_ulong seen;    /* allocations so far */
    unsigned long target; /* the one that fails, from 1; 0: none */
    bool goes_on;         /* and all that follow it */
    bool tells;           /* prints where */
} failing;

/* A child's part of a scenario, told to its parent. */
struct part {
    const struct alloc_scenario *scenario;
    unsigned long first; /* and every CHILDREN-th after it */
    pid_t child;
    unsigned long number, points; /* the one that is being run; all so far */
    bool goes_on;
};

void __sanitizer_print_stack_trace(void) __attribute__((weak));

void alloc_begin(void)
{
    atomic_store(&failing.counts, true);
}

void alloc_end(void)
{
    atomic_store(&failing.counts, false);
}

static bool fails(void)
{
    if (!atomic_load(&failing.counts)) {
        return false;
    }
    unsigned long number = atomic_fetch_add(&failing.seen, 1) + 1;
    bool hit = number == failing.target ||
               (failing.goes_on && failing.target != 0 && number > failing.target);
    if (hit && failing.tells && __sanitizer_print_stack_trace != NULL) {
        __sanitizer_print_stack_trace();
    }
    errno = hit ? ENOMEM : errno;
    return hit;
}

/* What the linker makes of `--wrap=NAME`: calls of NAME come here, the true one is __real_NAME. */
#define WRAP(type, failure, name, parameters, arguments)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails() ? (failure) : __real_##name arguments;                                      \
    }
#define WRAP_0(name) WRAP(void *, NULL, name, (void), ())
#define WRAP_1(name) WRAP(void *, NULL, name, (void *a), (a))
#define WRAP_2(name) WRAP(void *, NULL, name, (void *a, void *b), (a, b))
#define WRAP_3(name) WRAP(void *, NULL, name, (void *a, void *b, void *c), (a, b, c))

WRAP(void *, NULL, malloc, (size_t size), (size))
WRAP(void *, NULL, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, NULL, realloc, (void *old, size_t size), (old, size))
WRAP(void *, NULL, reallocarray, (void *old, size_t count, size_t size), (old, count, size))
WRAP_1(strdup)
WRAP_2(open_memstream)
WRAP_2(fopen)
WRAP_2(fdopen)
WRAP_1(SSL_CTX_new)
WRAP_1(SSL_new)
WRAP_1(BIO_new)
WRAP_2(BIO_new_mem_buf)
WRAP_0(ZSTD_createCCtx)
WRAP_0(ZSTD_createDCtx)
WRAP_0(libdeflate_alloc_decompressor)
WRAP_3(yajl_alloc)
WRAP_0(curl_easy_init)
WRAP_0(curl_multi_init)
#define NGHTTP2_NOMEM (-901)
WRAP(int, NGHTTP2_NOMEM, nghttp2_session_callbacks_new, (void **ret), (ret))
WRAP(int, NGHTTP2_NOMEM, nghttp2_option_new, (void **ret), (ret))
WRAP(int, EAGAIN, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument))

int __real_vasprintf(char **text, const char *format, va_list arguments);
int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = fails() ? -1 : vasprintf(text, format, arguments);
    va_end(arguments);
    return size;
}

/* ---- the sweep ---- */

/* Runs it with the n-th failing; returns whether there was an n-th. */
static bool run_once(const struct alloc_scenario *scenario, unsigned long number)
{
    failing.target = number;
    atomic_store(&failing.seen, 0);
    (void)alarm(PATIENCE_S);
    bool is_whole = scenario->run();
    alloc_end();
    bool has_failed = number != 0 && atomic_load(&failing.seen) >= number;
    assert_true(is_whole || has_failed);
    return has_failed;
}

/* As a test of cmocka's, which says what was asserted. */
static void sweep(void **state)
{
    struct part *part = *state;
    for (int goes_on = 0; goes_on <= !part->scenario->once_only; goes_on++) {
        failing.goes_on = part->goes_on = goes_on != 0;
        (void)run_once(part->scenario, 0);
        assert_int_not_equal(atomic_load(&failing.seen), 0);
        part->number = part->first;
        while (run_once(part->scenario, part->number)) {
            part->points++;
            part->number += CHILDREN;
        }
    }
    part->number = 0; /* what is wrong from now on is a leak, of no one knows which */
}

static void begin_part(struct part *part)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const struct CMUnitTest tests[] = {{part->scenario->name, sweep, NULL, NULL, part}};
        exit(cmocka_run_group_tests(tests, NULL, NULL));
    }
    part->child = child; /* the child sees it too */
}

static bool end_part(const struct part *part)
{
    int status = -1;
    bool is_good = part->child > 0 && waitpid(part->child, &status, 0) == part->child;
    if (is_good && status == 0) {
        return true;
    }
    printf("%s: FAILED (wait status %#x%s) at %lu%s\n", part->scenario->name, (unsigned)status,
           WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", it hangs" : "", part->number,
           part->goes_on ? " on" : "");
    return false;
}

/* In children, which may crash. */
static bool run_scenario(const struct alloc_scenario *scenario)
{
    bool is_good = true;
    unsigned long points = 0;
    struct part *parts = mmap(NULL, CHILDREN * sizeof(*parts), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (parts == MAP_FAILED) {
        perror("mmap");
        return false;
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        parts[i] = (struct part){.scenario = scenario, .first = i + 1};
        begin_part(&parts[i]);
    }
    for (unsigned i = 0; i < CHILDREN; i++) {
        is_good = end_part(&parts[i]) && is_good;
        points += parts[i].points;
    }
    printf("%s: %lu allocations failed\n", scenario->name, points);
    munmap(parts, CHILDREN * sizeof(*parts));
    return is_good;
}

int alloc_main(int argc, char **argv, const struct alloc_scenario *scenarios)
{
    bool is_good = true, is_known = false;
    for (const struct alloc_scenario *one = scenarios; one->name != NULL; one++) {
        if (argc > 1 && strcmp(argv[1], one->name) != 0) {
            continue;
        }
        is_known = true;
        if (argc > 2) {
            failing.goes_on = argc > 3;
            failing.tells = true;
            (void)run_once(one, strtoul(argv[2], NULL, 10));
        } else {
            is_good = run_scenario(one) && is_good;
        }
    }
    return is_good && is_known ? 0 : 1;
}
