/* Each policy says of a trace what the Go collector's says. */
#include "components/processors/tail_sampling/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "ottl/ottl.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#define MS HF_NS_PER_MS
#define LIST(...)                                                                                  \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }
#define POLICIES(...)                                                                              \
    {                                                                                              \
        (const struct hf_sampling_tail_policy_config[]){__VA_ARGS__},                              \
            sizeof((const struct hf_sampling_tail_policy_config[]){__VA_ARGS__}) /                 \
                sizeof(struct hf_sampling_tail_policy_config)                                      \
    }
#define ONE(...) ((const struct hf_sampling_tail_policy_config[]){__VA_ARGS__})

enum { RESOURCE_SPANS = 1, RESOURCE = 1, SCOPE_SPANS = 2, SPANS = 2 };

static const uint8_t id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

/* A span with everything that a policy looks at. */
struct span {
    int64_t status;
    uint64_t start_ms, end_ms;
    const char *state, *text; /* the attribute `text` */
    int64_t number;           /* `number`, when not 0 */
    bool flag;                /* `flag` is there, and true */
    uint32_t flags;
    const char *of_resource; /* `text` of its resource */
};

static void set(struct hf_message *owner, uint32_t number, const char *key, struct hf_slice value)
{
    hf_attributes_set(hf_message_attributes(owner, number), hf_slice_text(key), value);
}

static struct hf_sampling_tail_facts facts_of(struct hf_sampling_tail_policies *policies,
                                              const struct span *wanted)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, HF_EMPTY_SLICE);
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), RESOURCE_SPANS);
    struct hf_message *resource = hf_message_need(group, RESOURCE);
    struct hf_message *scope = hf_message_append(group, SCOPE_SPANS);
    struct hf_message *span = hf_message_append(scope, SPANS);
    struct hf_sampling_tail_facts facts = {0};
    hf_message_set_u64(span, 7, wanted->start_ms * MS);
    hf_message_set_u64(span, 8, wanted->end_ms * MS);
    hf_message_set_u64(span, 16, wanted->flags);
    if (wanted->status != 0) {
        hf_message_set_i64(hf_message_need(span, 15), 3, wanted->status);
    }
    if (wanted->state != NULL) {
        hf_message_set_bytes(span, 3, hf_slice_text(wanted->state));
    }
    if (wanted->text != NULL) {
        set(span, 9, "text", hf_any_make_string(&maker, hf_slice_text(wanted->text)));
    }
    if (wanted->number != 0) {
        set(span, 9, "number", hf_any_make_int(&maker, wanted->number));
    }
    if (wanted->flag) {
        set(span, 9, "flag", hf_any_make_bool(&maker, true));
    }
    if (wanted->of_resource != NULL) {
        set(resource, 1, "text", hf_any_make_string(&maker, hf_slice_text(wanted->of_resource)));
    }
    const struct hf_place place = {
        .document = document, .resource_group = group, .scope_group = scope, .item = span};
    struct hf_sampling_tail_span read;
    hf_sampling_tail_span_read(hf_message_content(span), &read);
    hf_sampling_tail_match_begin(policies, document);
    facts.bits = hf_sampling_tail_match_resource(policies, hf_message_content(resource));
    hf_sampling_tail_match_span(policies, &read, &place, &facts);
    assert_int_equal(hf_sampling_tail_match_end(policies), HF_OK);
    assert_int_equal(hf_document_status(document), HF_OK);
    hf_document_return(document);
    return facts;
}

/* The verdict of policies on a trace of two spans. */
static enum hf_sampling_tail_verdict judge(const struct hf_sampling_tail_config *config,
                                           const struct span *spans)
{
    struct hf_sampling_tail_policies *policies = NULL;
    enum hf_sampling_tail_verdict votes[8];
    assert_null(hf_sampling_tail_check(config));
    assert_int_equal(hf_sampling_tail_policies_new(config, &policies), HF_OK);
    struct hf_sampling_tail_facts facts = facts_of(policies, &spans[0]);
    struct hf_sampling_tail_facts more = facts_of(policies, &spans[1]);
    hf_sampling_tail_facts_join(&facts, &more);
    assert_int_equal(facts.spans, 2);
    enum hf_sampling_tail_verdict verdict =
        hf_sampling_tail_decide(policies, id, &facts, UINT64_C(1000) * HF_NS_PER_S, votes);
    hf_sampling_tail_policies_free(policies);
    return verdict;
}

#define NAMED(kind, ...)                                                                           \
    {                                                                                              \
        .name = "p", .type = kind, __VA_ARGS__                                                     \
    }
#define ERROR_STATUS .status_codes = LIST("ERROR")
#define TEXT(...) .string = {.key = "text", __VA_ARGS__}

static const struct {
    const char *what;
    struct hf_sampling_tail_policy_config policy;
    struct span spans[2];
    bool samples;
} policy_cases[] = {
    {"always", NAMED(HF_TAIL_ALWAYS), {{0}}, true},
    {"an error in one span", NAMED(HF_TAIL_STATUS_CODE, ERROR_STATUS), {{0}, {.status = 2}}, true},
    {"no error", NAMED(HF_TAIL_STATUS_CODE, ERROR_STATUS), {{.status = 1}}, false},
    {"no status is unset", NAMED(HF_TAIL_STATUS_CODE, .status_codes = LIST("UNSET")), {{0}}, true},
    {"slow across spans",
     NAMED(HF_TAIL_LATENCY, .threshold_ms = 50),
     {{.start_ms = 100, .end_ms = 110}, {.start_ms = 140, .end_ms = 151}},
     true},
    {"as long as the threshold",
     NAMED(HF_TAIL_LATENCY, .threshold_ms = 50),
     {{.start_ms = 100, .end_ms = 110}, {.start_ms = 140, .end_ms = 150}},
     false},
    {"the upper threshold",
     NAMED(HF_TAIL_LATENCY, .threshold_ms = 5, .upper_threshold_ms = 50),
     {{.start_ms = 100, .end_ms = 110}, {.start_ms = 140, .end_ms = 150}},
     true},
    {"above it",
     NAMED(HF_TAIL_LATENCY, .threshold_ms = 5, .upper_threshold_ms = 50),
     {{.start_ms = 100, .end_ms = 110}, {.start_ms = 140, .end_ms = 151}},
     false},
    {"all", NAMED(HF_TAIL_PROBABILISTIC, .sampling_percentage = 100), {{0}}, true},
    {"none", NAMED(HF_TAIL_PROBABILISTIC, .sampling_percentage = 0), {{0}}, false},
    {"a text", NAMED(HF_TAIL_STRING, TEXT(.values = LIST("a", "b"))), {{0}, {.text = "b"}}, true},
    {"a text of the resource",
     NAMED(HF_TAIL_STRING, TEXT(.values = LIST("b"))),
     {{.of_resource = "b"}},
     true},
    {"a part of a text",
     NAMED(HF_TAIL_STRING, TEXT(.values = LIST("b"))),
     {{.text = "abc"}},
     false},
    {"an expression",
     NAMED(HF_TAIL_STRING, TEXT(.values = LIST("", "b+"), .is_regex = true)),
     {{.text = "abbc"}},
     true},
    {"an empty text of a span",
     NAMED(HF_TAIL_STRING, TEXT(.values = LIST(".*"), .is_regex = true)),
     {{.text = ""}},
     false},
    {"inverted, one matches",
     NAMED(HF_TAIL_STRING, TEXT(.values = LIST("b"), .invert = true)),
     {{.text = "a"}, {.text = "b"}},
     false},
    {"inverted, none matches",
     NAMED(HF_TAIL_STRING, TEXT(.values = LIST("b"), .invert = true)),
     {{.text = "a"}},
     true},
    {"a number",
     NAMED(HF_TAIL_NUMERIC, .numeric = {.key = "number", .min = 5, .max = 7}),
     {{.number = 7}},
     true},
    {"a larger one",
     NAMED(HF_TAIL_NUMERIC, .numeric = {.key = "number", .min = 5, .max = 7}),
     {{.number = 8}},
     false},
    {"no upper bound",
     NAMED(HF_TAIL_NUMERIC, .numeric = {.key = "number", .min = 5}),
     {{.number = 8}},
     true},
    {"inverted number",
     NAMED(HF_TAIL_NUMERIC, .numeric = {.key = "number", .min = 5, .invert = true}),
     {{.number = 8}},
     false},
    {"a boolean",
     NAMED(HF_TAIL_BOOLEAN, .boolean = {.key = "flag", .value = true}),
     {{0}, {.flag = true}},
     true},
    {"no boolean",
     NAMED(HF_TAIL_BOOLEAN, .boolean = {.key = "flag", .value = false}),
     {{0}},
     false},
    {"within the rate", NAMED(HF_TAIL_RATE, .rate = {.spans_per_second = 1}), {{0}}, true},
    {"more than a burst",
     NAMED(HF_TAIL_RATE, .rate = {.spans_per_second = 9, .burst_capacity = 1}),
     {{0}},
     false},
    {"enough spans", NAMED(HF_TAIL_SPAN_COUNT, .spans = {.min = 2}), {{0}}, true},
    {"too few", NAMED(HF_TAIL_SPAN_COUNT, .spans = {.min = 3}), {{0}}, false},
    {"too many", NAMED(HF_TAIL_SPAN_COUNT, .spans = {.min = 1, .max = 1}), {{0}}, false},
    {"a trace state",
     NAMED(HF_TAIL_TRACE_STATE, .trace_state = {"v", LIST("1", "2")}),
     {{0}, {.state = "w=3,v=2"}},
     true},
    {"another",
     NAMED(HF_TAIL_TRACE_STATE, .trace_state = {"v", LIST("1", "2")}),
     {{.state = "v=3"}},
     false},
    {"the flag of the trace", NAMED(HF_TAIL_TRACE_FLAGS), {{.flags = 0x101}}, true},
    {"no flag", NAMED(HF_TAIL_TRACE_FLAGS), {{.flags = 0x100}}, false},
    {"both",
     NAMED(HF_TAIL_AND,
           .all_of = POLICIES(NAMED(HF_TAIL_ALWAYS),
                              {.name = "q", .type = HF_TAIL_STATUS_CODE, ERROR_STATUS})),
     {{.status = 2}},
     true},
    {"one of both",
     NAMED(HF_TAIL_AND,
           .all_of = POLICIES(NAMED(HF_TAIL_ALWAYS),
                              {.name = "q", .type = HF_TAIL_STATUS_CODE, ERROR_STATUS})),
     {{0}},
     false},
    {"a condition on a span",
     NAMED(HF_TAIL_OTTL, .ottl.span = LIST("attributes[\"text\"] == \"b\"", "kind == 9")),
     {{0}, {.text = "b"}},
     true},
    {"a condition on the resource",
     NAMED(HF_TAIL_OTTL, .ottl.span = LIST("resource.attributes[\"text\"] == \"r\"")),
     {{0}, {.of_resource = "r"}},
     true},
    {"a condition that is false",
     NAMED(HF_TAIL_OTTL, .ottl.span = LIST("attributes[\"text\"] == \"b\"")),
     {{.text = "c"}},
     false},
    {"a condition on an event, and none",
     NAMED(HF_TAIL_OTTL, .ottl.spanevent = LIST("name == \"e\"")),
     {{0}},
     false},
    {"all of several with a reverse",
     NAMED(HF_TAIL_AND,
           .all_of = POLICIES(NAMED(HF_TAIL_ALWAYS),
                              {.name = "q",
                               .type = HF_TAIL_NOT,
                               .not_policy = ONE(NAMED(HF_TAIL_STATUS_CODE, ERROR_STATUS))})),
     {{0}},
     true},
    {"the reverse",
     NAMED(HF_TAIL_NOT, .not_policy = ONE(NAMED(HF_TAIL_STATUS_CODE, ERROR_STATUS))),
     {{0}},
     true},
};

static void each_policy_looks_at_the_whole_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(policy_cases) / sizeof(policy_cases[0]); i++) {
        const struct hf_sampling_tail_config config = {.num_traces = 1,
                                                       .policies = {&policy_cases[i].policy, 1}};
        bool samples = judge(&config, policy_cases[i].spans) == HF_TAIL_SAMPLED;
        if (samples != policy_cases[i].samples) {
            fail_msg("%s", policy_cases[i].what);
        }
    }
}

static void what_drops_wins_over_what_samples(void **state)
{
    const struct hf_sampling_tail_policy_config policies[] = {
        {.name = "all", .type = HF_TAIL_ALWAYS},
        {.name = "never",
         .type = HF_TAIL_DROP,
         .all_of = POLICIES(NAMED(HF_TAIL_STATUS_CODE, ERROR_STATUS))},
    };
    const struct hf_sampling_tail_config config = {.num_traces = 1, .policies = {policies, 2}};
    (void)state;
    assert_int_equal(judge(&config, (struct span[2]){{.status = 2}}), HF_TAIL_DROPPED);
    assert_int_equal(judge(&config, (struct span[2]){{.status = 1}}), HF_TAIL_SAMPLED);
}

static void the_first_of_a_composite_owns_the_trace_within_its_share(void **state)
{
    const struct hf_sampling_tail_rate_share shares[] = {{"errors", 50}, {"rest", 25}};
    const struct hf_sampling_tail_policy_config composite = {
        .name = "c",
        .type = HF_TAIL_COMPOSITE,
        .composite = {.max_total_spans_per_second = 8,
                      .order = LIST("errors", "rest"),
                      .policies =
                          POLICIES({.name = "rest", .type = HF_TAIL_ALWAYS},
                                   {.name = "errors", .type = HF_TAIL_STATUS_CODE, ERROR_STATUS}),
                      .shares = {shares, 2}}};
    const struct hf_sampling_tail_config config = {.num_traces = 1, .policies = {&composite, 1}};
    struct hf_sampling_tail_policies *policies = NULL;
    enum hf_sampling_tail_verdict votes[1];
    (void)state;
    assert_null(hf_sampling_tail_check(&config));
    assert_int_equal(hf_sampling_tail_policies_new(&config, &policies), HF_OK);
    struct hf_sampling_tail_facts error = facts_of(policies, &(struct span){.status = 2});
    struct hf_sampling_tail_facts rest = facts_of(policies, &(struct span){0});
    error.spans = 2;
    rest.spans = 2;
    static const struct {
        uint64_t second;
        bool is_error, samples;
    } steps[] = {{7, true, true},   {7, true, true},  {7, true, false}, {7, false, true},
                 {7, false, false}, {8, false, true}, {8, true, true}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum hf_sampling_tail_verdict verdict = hf_sampling_tail_decide(
            policies, id, steps[i].is_error ? &error : &rest, steps[i].second * HF_NS_PER_S, votes);
        assert_int_equal(verdict == HF_TAIL_SAMPLED, steps[i].samples);
    }
    hf_sampling_tail_policies_free(policies);
}

static void a_rate_fills_with_time(void **state)
{
    const struct hf_sampling_tail_policy_config rate =
        NAMED(HF_TAIL_RATE, .rate = {.spans_per_second = 2});
    const struct hf_sampling_tail_config config = {.num_traces = 1, .policies = {&rate, 1}};
    struct hf_sampling_tail_policies *policies = NULL;
    const struct hf_sampling_tail_facts facts = {.spans = 2};
    enum hf_sampling_tail_verdict votes[1];
    static const struct {
        uint64_t ms;
        bool samples;
    } steps[] = {{1000, true},  {1000, true}, {1000, false},
                 {1500, false}, {2000, true}, {1000, false}};
    (void)state;
    assert_int_equal(hf_sampling_tail_policies_new(&config, &policies), HF_OK);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(hf_sampling_tail_decide(policies, id, &facts, steps[i].ms * MS, votes) ==
                             HF_TAIL_SAMPLED,
                         steps[i].samples);
    }
    hf_sampling_tail_policies_free(policies);
}

static void a_rate_of_bytes_looks_at_the_size(void **state)
{
    const struct hf_sampling_tail_policy_config rate =
        NAMED(HF_TAIL_BYTES, .bytes = {.bytes_per_second = 50, .burst_capacity = 120});
    const struct hf_sampling_tail_config config = {.num_traces = 1, .policies = {&rate, 1}};
    struct hf_sampling_tail_policies *policies = NULL;
    const struct hf_sampling_tail_facts facts = {.spans = 1, .bytes = 100};
    enum hf_sampling_tail_verdict votes[1];
    (void)state;
    assert_int_equal(hf_sampling_tail_policies_new(&config, &policies), HF_OK);
    assert_int_equal(hf_sampling_tail_decide(policies, id, &facts, 1000 * MS, votes),
                     HF_TAIL_SAMPLED);
    assert_int_equal(hf_sampling_tail_decide(policies, id, &facts, 2000 * MS, votes),
                     HF_TAIL_NOT_SAMPLED);
    assert_int_equal(hf_sampling_tail_decide(policies, id, &facts, 3000 * MS, votes),
                     HF_TAIL_SAMPLED);
    hf_sampling_tail_policies_free(policies);
}

static void a_condition_that_fails_has_no_vote_or_is_false(void **state)
{
    static const struct {
        enum hf_ottl_error_mode mode;
        enum hf_sampling_tail_verdict vote;
    } cases[] = {{HF_OTTL_PROPAGATE, HF_TAIL_FAILED}, {HF_OTTL_IGNORE, HF_TAIL_NOT_SAMPLED}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct hf_sampling_tail_policy_config policies_of[] = {
            NAMED(HF_TAIL_OTTL, .ottl = {.span = LIST("ParseJSON(\"{\")[\"a\"] == 1"),
                                         .error_mode = cases[i].mode}),
            {.name = "all", .type = HF_TAIL_ALWAYS}};
        const struct hf_sampling_tail_config config = {.num_traces = 1,
                                                       .policies = {policies_of, 2}};
        struct hf_sampling_tail_policies *policies = NULL;
        enum hf_sampling_tail_verdict votes[2];
        assert_int_equal(hf_sampling_tail_policies_new(&config, &policies), HF_OK);
        struct hf_sampling_tail_facts facts = facts_of(policies, &(struct span){0});
        assert_int_equal(hf_sampling_tail_decide(policies, id, &facts, 1, votes), HF_TAIL_SAMPLED);
        assert_int_equal(votes[0], cases[i].vote);
        hf_sampling_tail_policies_free(policies);
    }
}

static void a_part_of_a_trace_can_be_enough(void **state)
{
    const struct hf_sampling_tail_policy_config policies_of[] = {
        NAMED(HF_TAIL_STATUS_CODE, ERROR_STATUS),
        {.name = "never", .type = HF_TAIL_DROP, .all_of = POLICIES(NAMED(HF_TAIL_TRACE_FLAGS))}};
    enum hf_sampling_tail_verdict votes[2];
    (void)state;
    for (size_t count = 1; count <= 2; count++) { /* without and with what drops */
        const struct hf_sampling_tail_config config = {.num_traces = 1,
                                                       .policies = {policies_of, count}};
        struct hf_sampling_tail_policies *policies = NULL;
        assert_int_equal(hf_sampling_tail_policies_new(&config, &policies), HF_OK);
        struct hf_sampling_tail_facts good = facts_of(policies, &(struct span){0});
        struct hf_sampling_tail_facts error = facts_of(policies, &(struct span){.status = 2});
        struct hf_sampling_tail_facts flagged = facts_of(policies, &(struct span){.flags = 1});
        assert_int_equal(hf_sampling_tail_decide_part(policies, id, &good, 1, votes),
                         HF_TAIL_UNDECIDED);
        assert_int_equal(hf_sampling_tail_decide_part(policies, id, &error, 1, votes),
                         count == 1 ? HF_TAIL_SAMPLED : HF_TAIL_UNDECIDED);
        assert_int_equal(hf_sampling_tail_decide_part(policies, id, &flagged, 1, votes),
                         count == 1 ? HF_TAIL_UNDECIDED : HF_TAIL_DROPPED);
        hf_sampling_tail_policies_free(policies);
    }
}

/* FNV-1a, 64 bits, of "default-hash-seed" and of the id 1, 2, ... 16, as other programs have it. */
static void a_share_is_by_the_hash_of_the_id(void **state)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    (void)state;
    for (const char *at = "default-hash-seed"; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < sizeof(id); i++) {
        hash = (hash ^ id[i]) * UINT64_C(0x100000001b3);
    }
    double percentage = (double)hash / 18446744073709551615.0 * 100;
    struct hf_sampling_tail_policy_config share = NAMED(HF_TAIL_PROBABILISTIC);
    const struct hf_sampling_tail_config config = {.num_traces = 1, .policies = {&share, 1}};
    share.sampling_percentage = percentage + 1e-6;
    assert_int_equal(judge(&config, (struct span[2]){{0}}), HF_TAIL_SAMPLED);
    share.sampling_percentage = percentage - 1e-6;
    assert_int_equal(judge(&config, (struct span[2]){{0}}), HF_TAIL_NOT_SAMPLED);
}

static void says_what_is_wrong_with_which_policy(void **state)
{
    const struct {
        struct hf_sampling_tail_policy_config policy;
        const char *says;
    } cases[] = {
        {NAMED(HF_TAIL_STATUS_CODE),
         "policies: p: status_code::status_codes: at least one is needed"},
        {NAMED(HF_TAIL_STRING), "policies: p: string_attribute::key: missing"},
        {NAMED(HF_TAIL_NUMERIC), "policies: p: numeric_attribute::key: missing"},
        {NAMED(HF_TAIL_BOOLEAN), "policies: p: boolean_attribute::key: missing"},
        {NAMED(HF_TAIL_TRACE_STATE), "policies: p: trace_state::key: missing"},
        {NAMED(HF_TAIL_AND), "policies: p: at least one sub-policy is needed"},
        {NAMED(HF_TAIL_NOT), "policies: p: not::not_sub_policy: missing"},
        {NAMED(HF_TAIL_OTTL), "policies: p: ottl_condition: at least one condition is needed, in "
                              "`span` or `spanevent`"},
        {NAMED(HF_TAIL_AND, .all_of = POLICIES({.name = "q", .type = HF_TAIL_NOT})),
         "policies: q: not::not_sub_policy: missing"},
        {NAMED(HF_TAIL_COMPOSITE),
         "policies: p: composite::composite_sub_policy: at least one is needed"},
        {NAMED(HF_TAIL_DROP, .all_of = POLICIES({.name = "q", .type = HF_TAIL_STATUS_CODE})),
         "policies: q: status_code::status_codes: at least one is needed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_sampling_tail_config config = {.num_traces = 1,
                                                       .policies = {&cases[i].policy, 1}};
        assert_string_equal(hf_sampling_tail_check(&config), cases[i].says);
    }
    const struct hf_sampling_tail_policy_config pattern =
        NAMED(HF_TAIL_STRING, TEXT(.values = LIST("("), .is_regex = true));
    const struct hf_sampling_tail_config config = {.num_traces = 1, .policies = {&pattern, 1}};
    assert_non_null(
        strstr(hf_sampling_tail_check(&config), "policies: p: string_attribute::values[0]: "));
    const struct hf_sampling_tail_policy_config condition =
        NAMED(HF_TAIL_OTTL, .ottl.span = LIST("attributes["));
    const struct hf_sampling_tail_config malformed = {.num_traces = 1, .policies = {&condition, 1}};
    assert_non_null(strstr(hf_sampling_tail_check(&malformed), "policies: p: ottl_condition"));
    const struct hf_sampling_tail_policy_config limited =
        NAMED(HF_TAIL_AND, .all_of = POLICIES({.name = "q", .type = HF_TAIL_RATE}));
    const struct hf_sampling_tail_config part = {
        .num_traces = 1, .policies = {&limited, 1}, .strategy = HF_TAIL_SPAN_INGEST};
    assert_non_null(strstr(hf_sampling_tail_check(&part), "policies: q: sampling_strategy"));
    const struct hf_sampling_tail_policy_config same[] = {NAMED(HF_TAIL_ALWAYS),
                                                          NAMED(HF_TAIL_ALWAYS)};
    const struct hf_sampling_tail_config twice = {.num_traces = 1, .policies = {same, 2}};
    assert_string_equal(hf_sampling_tail_check(&twice),
                        "policies: p: there are two policies of that name");
    assert_string_equal(hf_sampling_tail_check(&(struct hf_sampling_tail_config){0}),
                        "policies: at least one is needed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_policy_looks_at_the_whole_trace),
        cmocka_unit_test(what_drops_wins_over_what_samples),
        cmocka_unit_test(the_first_of_a_composite_owns_the_trace_within_its_share),
        cmocka_unit_test(a_rate_fills_with_time),
        cmocka_unit_test(a_rate_of_bytes_looks_at_the_size),
        cmocka_unit_test(a_condition_that_fails_has_no_vote_or_is_false),
        cmocka_unit_test(a_part_of_a_trace_can_be_enough),
        cmocka_unit_test(a_share_is_by_the_hash_of_the_id),
        cmocka_unit_test(says_what_is_wrong_with_which_policy),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
