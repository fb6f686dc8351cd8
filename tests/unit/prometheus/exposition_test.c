/* What the readers of the three formats show of an exposition, and what they refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "prometheus/exposition.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 8192

struct shown {
    char text[ROOM];
    size_t size;
};

static void put(struct shown *shown, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(shown->text + shown->size, ROOM - shown->size, format, arguments);
    va_end(arguments);
    shown->size += (size_t)size;
    assert_true(shown->size < ROOM);
}

static void put_labels(struct shown *shown, const struct hf_prom_label *labels, size_t count)
{
    put(shown, "{");
    for (size_t i = 0; i < count; i++) {
        put(shown, "%s%.*s=%.*s", i != 0 ? "," : "", (int)labels[i].name.size,
            (const char *)labels[i].name.data, (int)labels[i].value.size,
            (const char *)labels[i].value.data);
    }
    put(shown, "}");
}

static void put_buckets(struct shown *shown, const struct hf_expo_buckets *buckets)
{
    put(shown, " %d:", buckets->first);
    for (size_t i = 0; i < buckets->count; i++) {
        put(shown, "%s%llu", i != 0 ? "," : "", (unsigned long long)buckets->counts[i]);
    }
}

static void put_item(struct shown *shown, enum hf_expo_item item,
                     const struct hf_expo_reader *reader)
{
    put(shown, "%.*s", (int)reader->name.size, (const char *)reader->name.data);
    if (item == HF_EXPO_IS_TYPE) {
        put(shown, " is %s\n", hf_expo_type_name(reader->type));
        return;
    }
    if (item == HF_EXPO_IS_HELP || item == HF_EXPO_IS_UNIT) {
        put(shown, " %s [%.*s]\n", item == HF_EXPO_IS_HELP ? "help" : "unit",
            (int)reader->text.size, (const char *)reader->text.data);
        return;
    }
    put_labels(shown, reader->labels.items, reader->labels.count);
    if (item == HF_EXPO_IS_NATIVE) {
        const struct hf_expo_native *native = &reader->native;
        put(shown, " native %d %llu %g zero %g %llu", native->schema,
            (unsigned long long)native->count, native->sum, native->zero_threshold,
            (unsigned long long)native->zero_count);
        put_buckets(shown, &native->positive);
        put_buckets(shown, &native->negative);
    } else {
        put(shown, " %.17g", reader->value);
    }
    if (reader->has_time) {
        put(shown, " @%lld", (long long)reader->time_ms);
    }
    if (reader->has_created) {
        put(shown, " from %lld", (long long)reader->created_ms);
    }
    for (size_t i = 0; i < reader->exemplar_count; i++) {
        const struct hf_expo_exemplar *exemplar = &reader->exemplars[i];
        put(shown, " # ");
        put_labels(shown, exemplar->labels, exemplar->label_count);
        put(shown, " %g", exemplar->value);
        if (exemplar->has_time) {
            put(shown, " @%lld", (long long)exemplar->time_ms);
        }
    }
    put(shown, "\n");
}

/* All items, a line each; a mistake as "! sentence". */
static void show(enum hf_expo_format format, const void *data, size_t size, struct shown *shown)
{
    static struct hf_expo_reader reader;
    struct hf_arena arena = {.limit = 1u << 20};
    uint8_t *body = malloc(size + 1); /* so that a read past its end is seen */
    assert_non_null(body);
    memcpy(body, data, size);
    shown->size = 0;
    shown->text[0] = '\0';
    hf_expo_init(&reader, format, hf_slice_of(body, size), &arena);
    reader.wants_native = reader.wants_classic = true;
    for (;;) {
        enum hf_expo_item item = hf_expo_next(&reader);
        if (item == HF_EXPO_BAD) {
            put(shown, "! %s\n", reader.error);
            assert_int_equal(hf_expo_next(&reader), HF_EXPO_BAD);
        }
        if (item == HF_EXPO_END || item == HF_EXPO_BAD) {
            break;
        }
        put_item(shown, item, &reader);
    }
    hf_arena_release(&arena);
    free(body);
}

struct expo_case {
    const char *in, *out;
};

static void expect_all(enum hf_expo_format format, const struct expo_case *cases, size_t count)
{
    static struct shown shown;
    for (size_t i = 0; i < count; i++) {
        show(format, cases[i].in, strlen(cases[i].in), &shown);
        assert_string_equal(shown.text, cases[i].out);
    }
}

static void text_is_read_in_all_its_spellings(void **state)
{
    (void)state;
    static const struct expo_case cases[] = {
        {"", ""},
        {"\n \n\t\n", ""},
        {"a 1", "a{} 1\n"},
        {"a\t1\n", "a{} 1\n"},
        {"  a   1  \n", "a{} 1\n"},
        {"a{} 1\n", "a{} 1\n"},
        {"a{b=\"c\"} 1\n", "a{b=c} 1\n"},
        {"a{b=\"c\",} 1\n", "a{b=c} 1\n"},
        {"a { b = \"c\" , d=\"e\" } 1\n", "a{b=c,d=e} 1\n"},
        {"a{b=\"c\" d=\"e\"} 1\n", "a{b=c,d=e} 1\n"},
        {"a{b=\"\"} 1\n", "a{b=} 1\n"},
        {"a{b=\"c\"}1\n", "a{b=c} 1\n"},
        {"some:rate:5m{x_y=\"c\"}\t1\n", "some:rate:5m{x_y=c} 1\n"},
        {"_a{_b=\"\\\"q\\\"\"} 1\n", "_a{_b=\"q\"} 1\n"},
        {"a{b=\"c\\\\d\\ne\\x\"} 1\n", "a{b=c\\d\ne\\x} 1\n"},
        {"a 33  \t123123\n", "a{} 33 @123123\n"},
        {"a 1 -5\n", "a{} 1 @-5\n"},
        {"{\"a.b\",c=\"d\"} 1\n", "a.b{c=d} 1\n"},
        {"{\"a.b\"} 1\n", "a.b{} 1\n"},
        {"a{\"b.c\"=\"d\"} 1\n", "a{b.c=d} 1\n"},
        {"# TYPE a counter\n", "a is counter\n"},
        {"# \tTYPE a summary\n", "a is summary\n"},
        {"#TYPE a gauge \n", "a is gauge\n"},
        {"# TYPE a untyped\n# TYPE b unknown\n", "a is unknown\nb is unknown\n"},
        {"# TYPE \"a.b\" gauge\n", "a.b is gauge\n"},
        {"# HELP a Some  text.\n", "a help [Some  text.]\n"},
        {"# HELP a \\\\x\\ny\\\"\n", "a help [\\x\ny\\\"]\n"},
        {"# HELP a\n# HELP b \n", "a help []\nb help []\n"},
        {"# a comment\n#\n# HELPER x\n#HELPx\na 1\n", "a{} 1\n"},
        {"a NaN\nb +Inf\nc -Inf\nd inf\n", "a{} nan\nb{} inf\nc{} -inf\nd{} inf\n"},
        {"a 4.9351e-05\nb 1e3\nc -0\nd .5\ne 5.\n",
         "a{} 4.9351000000000002e-05\nb{} 1000\nc{} -0\nd{} 0.5\ne{} 5\n"},
        {"a 123456789012345678901234567890\n", "a{} 1.2345678901234568e+29\n"},
        {"a 0.1\nb 179.76931348623157e306\n",
         "a{} 0.10000000000000001\nb{} 1.7976931348623157e+308\n"},
    };
    expect_all(HF_EXPO_TEXT, cases, COUNT(cases));
}

static void a_mistake_in_a_text_ends_the_reading(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "a",
        "a\n",
        "9a 1\n",
        "a b\n",
        "a 1 2 3\n",
        "a 1 x\n",
        "a 1 1.5\n",
        "a 1 NaN\n",
        "a{b} 1\n",
        "a{b=c} 1\n",
        "a{b='c'} 1\n",
        "a{b=\"c} 1\n",
        "a{b=\"c\n",
        "a{=\"c\"} 1\n",
        "a{,} 1\n",
        "a{b=\"c\",,} 1\n",
        "{} 1\n",
        "{b=\"c\"} 1\n",
        "{\"a\",\"b\"} 1\n",
        "a{b=\"c\"\n",
        "a 0x1p-3\n",
        "a 1_2\n",
        "a true\n",
        "a 1e400\n",
        "a-1\n",
        "a{b=\"1\",b=\"2\"} 1\n",
        "# TYPE a what\n",
        "# TYPE a\n",
        "# TYPE\t\n",
        "# HELP 9\n",
        "a +NaN\n",
        "a{b=\"\\",
        "a{b",
        "\xff 1\n",
        "a \"1\"\n",
    };
    static struct shown shown;
    for (size_t i = 0; i < COUNT(cases); i++) {
        show(HF_EXPO_TEXT, cases[i], strlen(cases[i]), &shown);
        if (shown.text[0] != '!') {
            fail_msg("accepted: %s", cases[i]);
        }
    }
}

static void what_stands_before_a_mistake_is_shown(void **state)
{
    (void)state;
    static const struct expo_case cases[] = {
        {"a 1\nb{\nc 3\n", "a{} 1\n! expected a label's name, at \"\"\n"},
        {"a 1\nb x\n", "a{} 1\n! expected a number, at \"x\"\n"},
    };
    expect_all(HF_EXPO_TEXT, cases, COUNT(cases));
}

static void open_metrics_is_read(void **state)
{
    (void)state;
    static const struct expo_case cases[] = {
        {"# EOF", ""},
        {"# EOF\n", ""},
        {"a 1\n# EOF\n", "a{} 1\n"},
        {"a{b=\"c\",d=\"e\"} 1 1.5\n# EOF\n", "a{b=c,d=e} 1 @1500\n"},
        {"a 1 1520879607.789\n# EOF\n", "a{} 1 @1520879607789\n"},
        {"# TYPE a info\n# HELP a \\\"x\\\"\n# UNIT a_s s\n# UNIT b \n# EOF\n",
         "a is info\na help [\"x\"]\na_s unit [s]\nb unit []\n"},
        {"a_total 1 # {x=\"y\"} 5\n# EOF\n", "a_total{} 1 # {x=y} 5\n"},
        {"a_total 1 2 # {} 5 1.5\n# EOF\n", "a_total{} 1 @2000 # {} 5 @1500\n"},
        {"a_bucket{le=\"+Inf\"} 1 # {id=\"t\",xx=\"yy\"} 4 123.123\n# EOF\n",
         "a_bucket{le=+Inf} 1 # {id=t,xx=yy} 4 @123123\n"},
        {"{\"a.b\",c=\"d\"} 1\n# EOF\n", "a.b{c=d} 1\n"},
        {"# TYPE a gaugehistogram\n# TYPE b stateset\n# EOF\n",
         "a is gaugehistogram\nb is stateset\n"},
    };
    expect_all(HF_EXPO_OPENMETRICS, cases, COUNT(cases));
}

static void open_metrics_is_strict(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "\n",
        "a 1\n",
        "\n# EOF\n",
        " a 1\n# EOF\n",
        "a\t1\n# EOF\n",
        "a  1\n# EOF\n",
        "a 1 \n# EOF\n",
        "a 1 2 3\n# EOF\n",
        "# EOF\na 1\n",
        "# EOF\n\n",
        "# EOFx",
        "#\tEOF\n",
        "# comment\n# EOF\n",
        "# TYPE a untyped\n# EOF\n",
        "# TYPE a counter \n# EOF\n",
        "# TYPE a  counter\n# EOF\n",
        "#  TYPE a counter\n# EOF\n",
        "# UNIT a s\n# EOF\n",
        "# UNIT as s\n# EOF\n",
        "# UNIT m\n# EOF\n",
        "# HELP m\n# EOF\n",
        "a{b=\"c\"d=\"e\"} 1\n# EOF\n",
        "a{b=\"c\",,d=\"e\"} 1\n# EOF\n",
        "a{ b=\"c\"} 1\n# EOF\n",
        "a 1 #\n# EOF\n",
        "a 1 # {b} 1\n# EOF\n",
        "a 1 # {b=\"c\"}\n# EOF\n",
        "a 1 # {b=\"c\"} x\n# EOF\n",
        "a 1 # {b=\"c\"} 1 NaN\n# EOF\n",
        "a 1 NaN\n# EOF\n",
        "a 1 # {b=\"c\"} 1 2 3\n# EOF\n",
        "a 1 # {b=\"c\" 1\n# EOF\n",
    };
    static struct shown shown;
    for (size_t i = 0; i < COUNT(cases); i++) {
        show(HF_EXPO_OPENMETRICS, cases[i], strlen(cases[i]), &shown);
        if (strchr(shown.text, '!') == NULL) {
            fail_msg("accepted: %s", cases[i]);
        }
    }
}

static void a_nul_is_an_ordinary_byte_of_a_value(void **state)
{
    (void)state;
    static struct shown shown;
    static const char text[] = "a{b=\"x\0y\"} 1\n";
    show(HF_EXPO_TEXT, text, sizeof(text) - 1, &shown);
    assert_memory_equal(shown.text, "a{b=x", 5); /* shown as a text it ends there */
}

static void too_many_labels_are_a_mistake(void **state)
{
    (void)state;
    static char text[16384];
    static struct shown shown;
    size_t size = (size_t)snprintf(text, sizeof(text), "a{");
    for (int i = 0; i < 600; i++) {
        size += (size_t)snprintf(text + size, sizeof(text) - size, "l%d=\"x\",", i);
    }
    size += (size_t)snprintf(text + size, sizeof(text) - size, "} 1\n");
    show(HF_EXPO_TEXT, text, size, &shown);
    assert_non_null(strstr(shown.text, "too many labels"));
}

static void no_memory_for_texts_is_a_mistake(void **state)
{
    (void)state;
    static struct hf_expo_reader reader;
    struct hf_arena arena = {.limit = 1};
    hf_expo_init(&reader, HF_EXPO_TEXT, hf_slice_text("a{b=\"\\n\"} 1\n"), &arena);
    assert_int_equal(hf_expo_next(&reader), HF_EXPO_BAD);
    hf_arena_release(&arena);
}

/* ---- protobuf: messages put together by hand ---- */

struct message {
    uint8_t data[2048];
    size_t size;
};

static void put_byte(struct message *message, unsigned byte)
{
    assert_true(message->size < sizeof(message->data));
    message->data[message->size++] = (uint8_t)byte;
}

static void put_varint(struct message *message, uint32_t number, uint64_t value)
{
    put_byte(message, (number << 3 & 0x7f) | (number > 15 ? 0x80 : 0));
    if (number > 15) {
        put_byte(message, number >> 4);
    }
    while (value >= 0x80) {
        put_byte(message, (unsigned)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    put_byte(message, (unsigned)value);
}

static void put_double(struct message *message, uint32_t number, double value)
{
    put_byte(message, number << 3 | 1);
    memcpy(message->data + message->size, &value, 8);
    message->size += 8;
}

static void put_bytes(struct message *message, uint32_t number, const void *data, size_t size)
{
    put_byte(message, (number << 3 & 0x7f) | 2 | (number > 15 ? 0x80 : 0));
    if (number > 15) {
        put_byte(message, number >> 4);
    }
    assert_true(size < 0x4000);
    if (size >= 0x80) {
        put_byte(message, (unsigned)(size & 0x7f) | 0x80);
        put_byte(message, (unsigned)(size >> 7));
    } else {
        put_byte(message, (unsigned)size);
    }
    memcpy(message->data + message->size, data, size);
    message->size += size;
}

static void put_text(struct message *message, uint32_t number, const char *text)
{
    put_bytes(message, number, text, strlen(text));
}

static void put_message(struct message *message, uint32_t number, const struct message *inner)
{
    put_bytes(message, number, inner->data, inner->size);
}

static void put_pair(struct message *message, uint32_t number, const char *name, const char *value)
{
    struct message pair = {.size = 0};
    put_text(&pair, 1, name);
    put_text(&pair, 2, value);
    put_message(message, number, &pair);
}

/* A family as the delimited stream has it. */
static void expect_family(const struct message *family, const char *expected)
{
    struct message stream = {.size = 0};
    static struct shown shown;
    size_t size = family->size;
    put_byte(&stream, (unsigned)(size & 0x7f) | (size >= 0x80 ? 0x80 : 0));
    if (size >= 0x80) {
        put_byte(&stream, (unsigned)(size >> 7));
    }
    memcpy(stream.data + stream.size, family->data, size);
    show(HF_EXPO_PROTOBUF, stream.data, stream.size + size, &shown);
    assert_string_equal(shown.text, expected);
    for (size_t cut = 1; cut < stream.size + size; cut++) {
        show(HF_EXPO_PROTOBUF, stream.data, cut, &shown);
        assert_int_equal(shown.text[0], '!');
    }
}

static void numbers_of_protobuf_are_read(void **state)
{
    (void)state;
    struct message family = {.size = 0}, metric = {.size = 0}, counter = {.size = 0},
                   exemplar = {.size = 0}, time = {.size = 0};
    put_varint(&time, 1, 10);
    put_varint(&time, 2, 500000000);
    put_pair(&exemplar, 1, "trace_id", "abc");
    put_double(&exemplar, 2, 4);
    put_message(&exemplar, 3, &time);
    put_double(&counter, 1, 17);
    put_message(&counter, 2, &exemplar);
    put_message(&counter, 3, &time);
    put_pair(&metric, 1, "code", "200");
    put_message(&metric, 3, &counter);
    put_varint(&metric, 6, 1234);
    put_text(&family, 1, "requests_total");
    put_text(&family, 2, "Help.");
    put_varint(&family, 3, 0);
    put_message(&family, 4, &metric);
    put_text(&family, 5, "things");
    expect_family(&family, "requests_total is counter\n"
                           "requests_total help [Help.]\n"
                           "requests_total unit [things]\n"
                           "requests_total{code=200} 17 @1234 from 10500"
                           " # {trace_id=abc} 4 @10500\n");
}

static void summaries_of_protobuf_become_series(void **state)
{
    (void)state;
    struct message family = {.size = 0}, metric = {.size = 0}, summary = {.size = 0},
                   quantile = {.size = 0};
    put_double(&quantile, 1, 0.5);
    put_double(&quantile, 2, 7);
    put_varint(&summary, 1, 3);
    put_double(&summary, 2, 12.5);
    put_message(&summary, 3, &quantile);
    put_message(&metric, 4, &summary);
    put_text(&family, 1, "rpc");
    put_varint(&family, 3, 2);
    put_message(&family, 4, &metric);
    expect_family(&family, "rpc is summary\nrpc help []\nrpc{quantile=0.5} 7\n"
                           "rpc_sum{} 12.5\nrpc_count{} 3\n");
}

static void histograms_of_protobuf_are_both_classic_and_native(void **state)
{
    (void)state;
    struct message family = {.size = 0}, metric = {.size = 0}, histogram = {.size = 0},
                   bucket = {.size = 0}, span = {.size = 0}, span_2 = {.size = 0};
    static const uint8_t deltas[] = {2, 2, 3}; /* 1, +1, -2: counts 1, 2, 0 */
    put_varint(&bucket, 1, 2);
    put_double(&bucket, 2, 0.5);
    put_varint(&span, 1, 4); /* zigzag: offset 2 */
    put_varint(&span, 2, 2);
    put_varint(&span_2, 1, 2); /* a gap of 1 */
    put_varint(&span_2, 2, 1);
    put_varint(&histogram, 1, 5);
    put_double(&histogram, 2, 9.5);
    put_message(&histogram, 3, &bucket);
    put_varint(&histogram, 5, 6); /* schema 3 */
    put_double(&histogram, 6, 0.25);
    put_varint(&histogram, 7, 2);
    put_message(&histogram, 12, &span);
    put_message(&histogram, 12, &span_2);
    put_bytes(&histogram, 13, deltas, sizeof(deltas));
    put_message(&metric, 7, &histogram);
    put_text(&family, 1, "lat");
    put_varint(&family, 3, 4);
    put_message(&family, 4, &metric);
    expect_family(&family, "lat is histogram\nlat help []\nlat_bucket{le=0.5} 2\n"
                           "lat_bucket{le=+Inf} 5\nlat_sum{} 9.5\nlat_count{} 5\n"
                           "lat{} native 3 5 9.5 zero 0.25 2 2:1,2,0,0 0:\n");
}

static void impossible_native_histograms_are_a_mistake(void **state)
{
    (void)state;
    static const struct {
        uint64_t schema, offset, length;
        uint8_t delta;
    } cases[] = {{40, 0, 1, 2}, {0, 0, 1u << 20, 2}, {0, 0, 2, 2}, {0, 0, 1, 1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct message family = {.size = 0}, metric = {.size = 0}, histogram = {.size = 0},
                       span = {.size = 0}, stream = {.size = 0};
        static struct shown shown;
        put_varint(&span, 1, cases[i].offset);
        put_varint(&span, 2, cases[i].length);
        put_varint(&histogram, 5, cases[i].schema);
        put_message(&histogram, 12, &span);
        put_bytes(&histogram, 13, &cases[i].delta, 1);
        put_message(&metric, 7, &histogram);
        put_text(&family, 1, "lat");
        put_varint(&family, 3, 4);
        put_message(&family, 4, &metric);
        put_byte(&stream, (unsigned)family.size);
        memcpy(stream.data + 1, family.data, family.size);
        show(HF_EXPO_PROTOBUF, stream.data, family.size + 1, &shown);
        assert_non_null(strstr(shown.text, "! a message of MetricFamily is malformed"));
    }
}

static void formats_are_known_by_their_content_type(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int format; /* -1: none */
    } cases[] = {
        {"text/plain; version=0.0.4; charset=utf-8", HF_EXPO_TEXT},
        {"text/plain", HF_EXPO_TEXT},
        {"Text/Plain ;x", HF_EXPO_TEXT},
        {"application/openmetrics-text; version=1.0.0", HF_EXPO_OPENMETRICS},
        {"application/vnd.google.protobuf; proto=x; encoding=delimited", HF_EXPO_PROTOBUF},
        {"text/html", -1},
        {"", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum hf_expo_format format;
        bool known = hf_expo_format_of(hf_slice_text(cases[i].type), &format);
        assert_int_equal(known, cases[i].format >= 0);
        if (known) {
            assert_int_equal(format, cases[i].format);
        }
    }
}

static void numbers_are_those_of_strtod(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "1",
                                        "-1.5",
                                        "3.14159",
                                        "1e22",
                                        "1e23",
                                        "123e-5",
                                        "0.1e-6",
                                        "9007199254740993",
                                        "2.2250738585072014e-308",
                                        "18446744073709551616"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        double number = 0;
        assert_true(hf_expo_number(hf_slice_text(texts[i]), &number));
        if (number != strtod(texts[i], NULL)) {
            fail_msg("%s is read as %.17g", texts[i], number);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_in_all_its_spellings),
        cmocka_unit_test(a_mistake_in_a_text_ends_the_reading),
        cmocka_unit_test(what_stands_before_a_mistake_is_shown),
        cmocka_unit_test(open_metrics_is_read),
        cmocka_unit_test(open_metrics_is_strict),
        cmocka_unit_test(a_nul_is_an_ordinary_byte_of_a_value),
        cmocka_unit_test(too_many_labels_are_a_mistake),
        cmocka_unit_test(no_memory_for_texts_is_a_mistake),
        cmocka_unit_test(numbers_of_protobuf_are_read),
        cmocka_unit_test(summaries_of_protobuf_become_series),
        cmocka_unit_test(histograms_of_protobuf_are_both_classic_and_native),
        cmocka_unit_test(impossible_native_histograms_are_a_mistake),
        cmocka_unit_test(formats_are_known_by_their_content_type),
        cmocka_unit_test(numbers_are_those_of_strtod),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
