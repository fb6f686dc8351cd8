#include "test_cli.h"

#include <getopt.h>
#include <stdio.h>

#include "commands.h"
#include "testing/testing.h"

static bool parse(struct hf_testing_options *options, bool *ret_help, int argc, char **argv)
{
    struct option known[HF_CLI_OPTIONS_MAX + 1];
    int option;
    hf_cli_long_options(hf_cli_find("test"), known);
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case HF_CLI_JUNIT:
            options->junit = optarg;
            break;
        case HF_CLI_ONLY:
            options->only = optarg;
            break;
        case HF_CLI_LOG:
            options->log = "stderr";
            break;
        case HF_CLI_HELP:
        case 'h':
            *ret_help = true;
            break;
        default:
            return false;
        }
    }
    options->files = (const char *const *)argv + optind;
    options->file_count = (size_t)(argc - optind);
    return *ret_help || options->file_count != 0;
}

enum hf_exit hf_test_cli(const struct hf_component *const *components, int argc, char **argv)
{
    struct hf_testing_options options = {
        .components = components, .log = "/dev/null", .out = stdout};
    bool help = false;
    if (!parse(&options, &help, argc, argv)) {
        hf_cli_help(hf_cli_find("test"), stderr);
        return HF_EXIT_USAGE;
    }
    if (help) {
        hf_cli_help(hf_cli_find("test"), stdout);
        return HF_EXIT_OK;
    }
    switch (hf_testing_run(&options)) {
    case HF_TESTING_PASSED:
        return HF_EXIT_OK;
    case HF_TESTING_FAILED:
        return HF_EXIT_FAILED;
    default:
        return HF_EXIT_USAGE;
    }
}
