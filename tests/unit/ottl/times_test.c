/* Time and FormatTime, which read and write by the layouts of util/time/time_layout.h. */
#include "run.h"

#include <unistd.h>

static void reads_and_writes_times(void **state)
{
    static const struct run_case cases[] = {
        {"UnixSeconds(Time(\"2024-03-05 06:07:08 +02:00\", \"%F %T %z\")) == 1709611628",
         HF_OTTL_TRUE},
        {"UnixSeconds(Time(\"2024-03-05T06:07:08Z\", \"%Y-%m-%dT%H:%M:%SZ\")) == 1709618828",
         HF_OTTL_TRUE},
        {"UnixSeconds(Time(\"2024-03-05\", \"%F\", \"GMT\", \"en-US\")) == 1709596800",
         HF_OTTL_TRUE},
        {"UnixSeconds(Time(\"2024-02-30\", \"%F\", \"UTC\")) == 0", HF_OTTL_ERROR},
        {"FormatTime(Time(\"2024-03-05 06:07:08.25 -01:30\", \"%F %T.%L %z\"), \"%c %j\") == "
         "\"Tue Mar 05 06:07:08 2024 -01:30\"",
         HF_OTTL_TRUE},
        {"Hour(Time(\"2024-03-05 06:07:08 +02:00\", \"%F %T %z\")) == 6", HF_OTTL_TRUE},
    };
    static const struct run_case zones[] = {
        {"UnixSeconds(Time(\"2024-07-05 06:07:08\", \"%F %T\", \"Europe/Berlin\")) == 1720152428",
         HF_OTTL_TRUE},
        {"FormatTime(Time(\"2024-01-05 06:07:08\", \"%F %T\", \"Europe/Berlin\"), \"%T %z\") == "
         "\"06:07:08 +0100\"",
         HF_OTTL_TRUE},
    };
    (void)state;
    RUN_CASES(cases);
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) == 0) {
        RUN_CASES(zones);
    }
}

static void refuses_formats_and_locations(void **state)
{
    static const struct run_refusal cases[] = {
        {"Time(\"2024\", \"\") == Now()", "a layout has 1 to"},
        {"Time(\"2024\", \"%Q\") == Now()", "strptime has no directive %Q"},
        {"FormatTime(Now(), \"2006\") == \"\"", "no digits"},
        {"Time(\"1\", \"%S%L\") == Now()", "must follow a point or a comma"},
        {"Time(\"2024\", \"%Y\", \"Nowhere/City\") == Now()",
         "location: Nowhere/City is no time zone"},
        {"Time(\"2024\", \"%Y\", \"UTC\", \"de\") == Now()", "the only locale is English"},
    };
    (void)state;
    RUN_REFUSALS(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_times),
        cmocka_unit_test(refuses_formats_and_locations),
    };
    return cmocka_run_group_tests_name("times", tests, NULL, NULL);
}
