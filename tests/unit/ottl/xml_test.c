/* Converters of XML: what is selected, inserted, removed and made of it. */
#include "run.h"

static void changes_documents(void **state)
{
    static const struct run_case cases[] = {
        {"GetXML(\"<a><b x=\\\"1\\\">t</b><b/></a>\", \"//b\") == \"<b x=\\\"1\\\">t</b><b></b>\"",
         HF_OTTL_TRUE},
        {"GetXML(\"<a><b x=\\\"1\\\">t</b></a>\", \"//@x\") == \"1\"", HF_OTTL_TRUE},
        {"GetXML(\"<a/>\", \"//none\") == \"\"", HF_OTTL_TRUE},
        {"GetXML(\"\", \"/a\") == \"\"", HF_OTTL_TRUE},
        {"GetXML(\"<a/>\", \"count(/a)\") == \"\"", HF_OTTL_TRUE},
        {"InsertXML(\"<a><b/><b/></a>\", \"//b\", \"<c>x</c><d/>\") == "
         "\"<a><b><c>x</c><d></d></b><b><c>x</c><d></d></b></a>\"",
         HF_OTTL_TRUE},
        {"InsertXML(\"\", \"/\", \"<a/>\") == \"<a></a>\"", HF_OTTL_TRUE},
        {"RemoveXML(\"<a x=\\\"1\\\"><b><c/></b>t<!--n--></a>\", \"//* | //@x | //comment()\") == "
         "\"\"",
         HF_OTTL_TRUE},
        {"RemoveXML(\"<a><b>1</b><c/></a>\", \"//b/text()\") == \"<a><b></b><c></c></a>\"",
         HF_OTTL_TRUE},
        {"ConvertAttributesToElementsXML(\"<a x=\\\"1\\\"><b y=\\\"2\\\"/></a>\") == "
         "\"<a><b><y>2</y></b><x>1</x></a>\"",
         HF_OTTL_TRUE},
        {"ConvertTextToElementsXML(\"<a>x<b/>y</a>\") == "
         "\"<a><value>x</value><b></b><value>y</value></a>\"",
         HF_OTTL_TRUE},
        {"ConvertTextToElementsXML(\"<a>x<b/></a>\", \"/a\", \"t\") == \"<a><t>x</t><b></b></a>\"",
         HF_OTTL_TRUE},
        {"GetXML(\"<a>&lt;&amp;<![CDATA[<x>]]></a>\", \"/a\") == "
         "\"<a>&lt;&amp;<![CDATA[<x>]]></a>\"",
         HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void makes_maps(void **state)
{
    static const struct run_case cases[] = {
        {"ParseXML(\"<a x=\\\"1\\\"> t <b/></a>\") == {\"tag\": \"a\", \"content\": \"t\", "
         "\"attributes\": {\"x\": \"1\"}, \"children\": [{\"tag\": \"b\"}]}",
         HF_OTTL_TRUE},
        {"ParseSimplifiedXML(\"<a><b>1</b><b>2</b><c><d>x</d></c><e/></a>\") == {\"a\": {\"b\": "
         "[\"1\", \"2\"], \"c\": {\"d\": \"x\"}}}",
         HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
}

static void fails_on_what_is_no_xml(void **state)
{
    static const struct run_case cases[] = {
        {"ParseXML(\"<a>\") == {}", HF_OTTL_ERROR},
        {"ParseXML(\"<a/> \") == {}", HF_OTTL_ERROR},
        {"ParseXML(\"\") == {}", HF_OTTL_ERROR},
        {"ParseXML(\"text\") == {}", HF_OTTL_ERROR},
        {"ParseXML(\"<a>&undefined;</a>\") == {}", HF_OTTL_ERROR},
        {"ParseXML(\"<!DOCTYPE a [<!ENTITY e \\\"x\\\">]><a>&e;</a>\") == {}", HF_OTTL_ERROR},
        {"ParseXML(\"</holdfast><holdfast>\") == {}", HF_OTTL_ERROR},
        {"InsertXML(\"<a/>\", \"/a\", \"text\") == \"\"", HF_OTTL_ERROR},
        {"InsertXML(\"<a>t</a>\", \"/a/text()\", \"<b/>\") == \"\"", HF_OTTL_ERROR},
        {"GetXML(\"<p:a/>\", \"/a\") == \"\"", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

static void refuses_what_is_no_path(void **state)
{
    static const struct run_refusal cases[] = {
        {"GetXML(name, \"//[\") == \"\"", "invalid xpath"},
        {"GetXML(name, name) == \"\"", "must be a literal"},
    };
    (void)state;
    RUN_REFUSALS(cases);
}

static void refuses_deep_nesting(void **state)
{
    enum { LEVELS = 400 };
    static char text[LEVELS * 7 + 200];
    struct run_case deep = {text, HF_OTTL_ERROR};
    size_t at = 0;
    (void)state;
    at += (size_t)snprintf(text, sizeof(text), "ParseXML(\"");
    for (int i = 0; i < LEVELS; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "<a>");
    }
    for (int i = 0; i < LEVELS; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "</a>");
    }
    snprintf(text + at, sizeof(text) - at, "\") == {}");
    run_cases(&deep, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_documents),       cmocka_unit_test(makes_maps),
        cmocka_unit_test(fails_on_what_is_no_xml), cmocka_unit_test(refuses_what_is_no_path),
        cmocka_unit_test(refuses_deep_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
