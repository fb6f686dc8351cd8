/* Lines of CEF, CLF and LEEF become maps. */
#include "run_log.h"

static void reads_cef(void **state)
{
    static const struct run_case cases[] = {
        {"ParseCEF(\"x CEF:0|V|P|1|id|N\\\\|n|5|a=b c d=e\\\\=f\") == {\"cef.version\": \"0\", "
         "\"cef.device_vendor\": \"V\", \"cef.device_product\": \"P\", \"cef.device_version\": "
         "\"1\", \"cef.device_event_class_id\": \"id\", \"cef.name\": \"N|n\", \"cef.severity\": "
         "\"5\", \"cef.extensions\": {\"a\": \"b c\", \"d\": \"e=f\"}}",
         HF_OTTL_TRUE},
        {"ParseCEF(\"CEF:0|V|P|1|id|N|5\")[\"cef.severity\"] == \"5\"", HF_OTTL_TRUE},
        {"ParseCEF(\"CEF:0|V|P|1|id|N\") == {}", HF_OTTL_ERROR},
        {"ParseCEF(\"CEF:|V|P|1|id|N|5\") == {}", HF_OTTL_ERROR},
        {"ParseCEF(\"\") == {}", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

static void reads_clf(void **state)
{
    static const struct run_case cases[] = {
        {"ParseCLF(\"h - u [t] \\\"GET /a HTTP/1.0\\\" 200 5\") == {\"clf.remote_host\": \"h\", "
         "\"clf.rfc931\": \"-\", \"clf.auth_user\": \"u\", \"clf.timestamp\": \"t\", "
         "\"clf.request\": \"GET /a HTTP/1.0\", \"clf.method\": \"GET\", \"clf.request_uri\": "
         "\"/a\", \"clf.protocol\": \"HTTP/1.0\", \"clf.status\": 200, \"clf.bytes\": 5}",
         HF_OTTL_TRUE},
        {"ParseCLF(\"h - u [t] \\\"x\\\" 200 - \\\"r\\\" \\\"a\\\"\", "
         "\"combined\")[\"clf.user_agent\"] == \"a\"",
         HF_OTTL_TRUE},
        {"ParseCLF(\"h - u [t] \\\"\\\\x41\\\\n\\\" 200 -\")[\"clf.request\"] == \"A\\n\"",
         HF_OTTL_TRUE},
        {"ParseCLF(\"h - u [t] \\\"x\\\" abc 5\") == {}", HF_OTTL_ERROR},
        {"ParseCLF(\"h - u [t] \\\"x 200 5\") == {}", HF_OTTL_ERROR},
        {"ParseCLF(\"h - u [] \\\"x\\\" 200 5\") == {}", HF_OTTL_ERROR},
        {"ParseCLF(\"\") == {}", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

static void reads_leef(void **state)
{
    static const struct run_case cases[] = {
        {"ParseLEEF(\"LEEF:1.0|V|P|2|e|a=1\\tb=2\")[\"leef.attributes\"] == {\"a\": \"1\", \"b\": "
         "\"2\"}",
         HF_OTTL_TRUE},
        {"ParseLEEF(\"LEEF:2.0|V|P|2|e|^|a=1^b=2\")[\"leef.attributes\"] == {\"a\": \"1\", \"b\": "
         "\"2\"}",
         HF_OTTL_TRUE},
        {"ParseLEEF(\"LEEF:2.0|V|P|2|e|0x7C|a=1|b=2\")[\"leef.attributes\"] == {\"a\": \"1\", "
         "\"b\": \"2\"}",
         HF_OTTL_TRUE},
        {"ParseLEEF(\"LEEF:2.0|V|P|2|e|a=1|2\")[\"leef.attributes\"] == {\"a\": \"1|2\"}",
         HF_OTTL_TRUE},
        {"ParseLEEF(\"LEEF:3.0|V|P|2|e|\") == {}", HF_OTTL_ERROR},
        {"ParseLEEF(\"LEEF:2.0|V|P|2|e|0xZZ|a=1\") == {}", HF_OTTL_ERROR},
        {"ParseLEEF(\"LEEF:1.0|V\") == {}", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_cef),
        cmocka_unit_test(reads_clf),
        cmocka_unit_test(reads_leef),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
