/* `holdfast schema`: what each type of key becomes. */
#include "support.h"

#include <holdfast/component.h>

static const char *const choices[] = {"on.off", "2", NULL};
static const char *const old_spellings[] = {"address", NULL};
static const struct hf_field needy_fields[] = {
    {.key = "name", .type = HF_FIELD_STRING, .required = true},
    HF_FIELDS_END,
};
static const struct hf_field policy_fields[] = {
    {.key = "policies", .type = HF_FIELD_STRUCT_LIST, .inner = policy_fields},
    HF_FIELDS_END,
};
static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .required = true,
     .old_keys = old_spellings,
     .help = "Where to send."},
    {.key = "size",
     .type = HF_FIELD_INT,
     .default_text = "7",
     .min = 1,
     .max = 9,
     .old_keys = (const char *const[]){"length", NULL}},
    {.key = "mode", .type = HF_FIELD_ENUM, .default_text = "on.off", .choices = choices},
    {.key = "wait", .type = HF_FIELD_DURATION, .default_text = "5s"},
    {.key = "names", .type = HF_FIELD_STRING_LIST, .default_text = "[a, b]"},
    {.key = "needy", .type = HF_FIELD_STRUCT, .inner = needy_fields},
    {.key = "extra", .type = HF_FIELD_OPTIONAL, .inner = needy_fields},
    {.key = "policies", .type = HF_FIELD_STRUCT_LIST, .inner = policy_fields},
    {.key = "old", .type = HF_FIELD_IGNORED, .help = "there is none."},
    HF_FIELDS_END,
};
static const struct hf_component sender = {.type = "sender",
                                           .aliases = (const char *const[]){"send", NULL},
                                           .help = "Sends.",
                                           .kind = HF_EXPORTER,
                                           .signals = HF_ALL_SIGNALS,
                                           .fields = fields};
static const struct hf_component *const components[] = {&sender, NULL};

/* Without blanks and line ends, which would only make the expected texts hard to read. */
static char *schema(void)
{
    char *text = hf_config_schema(components);
    char *to = text;
    assert_non_null(text);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '\n' && *at != ' ') {
            *to++ = *at;
        }
    }
    *to = '\0';
    return text;
}

static void says_of_each_key_what_it_takes(void **state)
{
    static const char *const parts[] = {
        /* both spellings of the type, and names behind them */
        "\"sender\":{\"description\":\"Sends.\",\"$ref\":\"#/$defs/exporters.sender\","
        "\"type\":[\"object\",\"string\"]}",
        "\"send\":{\"description\":\"Sends.\",\"$ref\":\"#/$defs/exporters.sender\"",
        "\"^*send*/*[^]+*$\":{",
        /* a key, and its old spelling */
        "\"endpoint\":{\"description\":\"Wheretosend.\",\"type\":[\"string\",\"number\","
        "\"boolean\"]}",
        "\"address\":{\"description\":\"Wheretosend.\",\"type\":[\"string\",\"number\","
        "\"boolean\"],\"deprecated\":true}",
        "{\"not\":{\"required\":[\"endpoint\",\"address\"]}},{\"anyOf\":[{\"required\":["
        "\"endpoint\"]},{\"required\":[\"address\"]}]},{\"not\":{\"required\":[\"size\","
        "\"length\"]}}]",
        "\"minimum\":1,\"maximum\":9,\"default\":7}",
        /* choices as text, as YAML reads them, in any case */
        "\"mode\":{\"anyOf\":[{\"enum\":[\"on.off\",\"2\",2,null]},{\"type\":[\"string\"],"
        "\"pattern\":\"^[oO][nN]\\\\.[oO][fF][fF]$\"}",
        "\"minimum\":0,\"default\":\"5s\"}",
        "\"default\":[\"a\",\"b\"]}",
        /* what must be there because of a key in it */
        "\"needy\":{\"$ref\":\"#/$defs/exporters.sender.needy\",\"type\":[\"object\","
        "\"string\"]}",
        "\"required\":[\"needy\"]",
        /* may be absent, null or off */
        "\"extra\":{\"$ref\":\"#/$defs/exporters.sender.extra\"}",
        "\"exporters.sender.extra\":{\"type\":[\"object\",\"string\",\"null\"],\"pattern\":"
        "\"\\\\$\",\"if\":{\"type\":[\"object\"],\"properties\":{\"enabled\":{\"const\":false}},"
        "\"required\":[\"enabled\"]},\"then\":{},\"else\":{",
        /* a table within itself */
        "\"exporters.sender.policies\":{\"type\":[\"object\",\"string\",\"null\"],\"pattern\":"
        "\"\\\\$\",\"properties\":{\"policies\":{\"type\":[\"array\",\"string\",\"null\"],"
        "\"pattern\":\"\\\\$\",\"items\":{\"$ref\":\"#/$defs/exporters.sender.policies\"}}},"
        "\"additionalProperties\":false}",
        "\"old\":{\"description\":\"Noeffect:thereisnone.\"}",
    };
    (void)state;
    char *text = schema();
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (strstr(text, parts[i]) == NULL) {
            fail_msg("%s is not in %s", parts[i], text);
        }
    }
    free(text);
}

static void defines_a_table_once(void **state)
{
    (void)state;
    char *text = schema();
    const char *first = strstr(text, "\"exporters.sender\":{");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"exporters.sender\":{"));
    assert_null(strstr(text, "exporters.sender-2"));
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_of_each_key_what_it_takes),
        cmocka_unit_test(defines_a_table_once),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
