/* Names to addresses, in networks that are made up. */
#include <grpc/resolve.h>

#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

/*
 * Stands before libc's: "two.test" is what localhost is in a network that has only IPv6. There libc
 * leaves 127.0.0.1 out if it is asked for addresses of the families that are configured.
 */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **ret_found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(host, "two.test") != 0) {
        return real(host, port, hints, ret_found);
    }
    const struct addrinfo plain = {.ai_socktype = SOCK_STREAM};
    int failed = real("::1", port, &plain, ret_found);
    bool hides = failed != 0 || (hints->ai_flags & AI_ADDRCONFIG) != 0;
    return hides ? failed : real("127.0.0.1", port, &plain, &(*ret_found)->ai_next);
}

struct seen {
    struct hf_loop *loop;
    size_t count;
    int families[HF_GRPC_ADDRESSES_MAX];
};

static void on_found(void *user, const struct hf_grpc_lookup_result *result)
{
    struct seen *seen = user;
    seen->count = result->count;
    for (size_t i = 0; i < result->count; i++) {
        seen->families[i] = result->addresses[i].storage.ss_family;
    }
    hf_loop_stop(seen->loop);
}

static void finds_the_addresses_of_both_families(void **state)
{
    (void)state;
    const struct hf_grpc_target target = {.host = "two.test", .port = "4317"};
    struct seen seen = {.count = 0};
    struct hf_grpc_lookup *lookup = NULL;
    assert_int_equal(hf_loop_new(&seen.loop), HF_OK);
    assert_int_equal(hf_grpc_resolve_start(seen.loop, &target, on_found, &seen, &lookup), HF_OK);
    hf_loop_run(seen.loop);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.families[0], AF_INET6);
    assert_int_equal(seen.families[1], AF_INET);
    hf_loop_free(seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_addresses_of_both_families),
    };
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
