/*
 * The converter UserAgent: which browser, tool or robot sent a User-Agent header, and on which
 * system. Rules are looked up in order, the first that fits counts; families have the names of the
 * uap-core project. The rules are those of what is common; everything else is "Other".
 */
#include <ctype.h>
#include <string.h>

#include "function.h"

#define VERSION_PARTS 3u

struct rule {
    const char *needs; /* the text has it */
    const char *lacks; /* and not that; NULL: nothing */
    const char *family;
    const char *version; /* digits behind this text are the version; NULL: none */
    size_t parts;        /* numbers of a version; 0: VERSION_PARTS */
};

static const struct rule agents[] = {
    /* robots, which pretend to be browsers */
    {"Googlebot-Image/", NULL, "Googlebot-Image", "Googlebot-Image/", 0},
    {"Googlebot", NULL, "Googlebot", "Googlebot/", 0},
    {"AdsBot-Google", NULL, "AdsBot-Google", NULL, 0},
    {"bingbot", NULL, "bingbot", "bingbot/", 0},
    {"YandexBot", NULL, "YandexBot", "YandexBot/", 0},
    {"Baiduspider", NULL, "Baiduspider", "Baiduspider/", 0},
    {"DuckDuckBot", NULL, "DuckDuckBot", "DuckDuckBot/", 0},
    {"AhrefsBot", NULL, "AhrefsBot", "AhrefsBot/", 0},
    {"SemrushBot", NULL, "SemrushBot", "SemrushBot/", 0},
    {"Applebot", NULL, "Applebot", "Applebot/", 0},
    {"facebookexternalhit", NULL, "FacebookBot", "facebookexternalhit/", 0},
    {"Twitterbot", NULL, "Twitterbot", "Twitterbot/", 0},
    {"Slackbot-LinkExpanding", NULL, "Slackbot-LinkExpanding", "Slackbot-LinkExpanding ", 0},
    {"Slackbot", NULL, "Slackbot", "Slackbot ", 0},
    {"GPTBot", NULL, "GPTBot", "GPTBot/", 0},
    {"UptimeRobot", NULL, "UptimeRobot", "UptimeRobot/", 0},
    {"Pingdom", NULL, "PingdomBot", "version_", 0},
    {"HeadlessChrome", NULL, "HeadlessChrome", "HeadlessChrome/", 0},
    /* browsers that name others too */
    {"EdgA/", NULL, "Edge Mobile", "EdgA/", 0},
    {"EdgiOS/", NULL, "Edge Mobile", "EdgiOS/", 0},
    {"Edg/", NULL, "Edge", "Edg/", 0},
    {"Edge/", "Mobile", "Edge", "Edge/", 0},
    {"Edge/", NULL, "Edge Mobile", "Edge/", 0},
    {"OPR/", "Mobile", "Opera", "OPR/", 0},
    {"OPR/", NULL, "Opera Mobile", "OPR/", 0},
    {"Opera Mini", NULL, "Opera Mini", "Opera Mini/", 0},
    {"Opera/", NULL, "Opera", "Version/", 0},
    {"SamsungBrowser/", NULL, "Samsung Internet", "SamsungBrowser/", 0},
    {"Vivaldi/", NULL, "Vivaldi", "Vivaldi/", 0},
    {"YaBrowser/", NULL, "Yandex Browser", "YaBrowser/", 0},
    {"UCBrowser/", NULL, "UC Browser", "UCBrowser/", 0},
    {"Electron/", NULL, "Electron", "Electron/", 0},
    {"CriOS/", NULL, "Chrome Mobile iOS", "CriOS/", 0},
    {"FxiOS/", NULL, "Firefox iOS", "FxiOS/", 0},
    {"; wv)", NULL, "Chrome Mobile WebView", "Chrome/", 0},
    {"Chromium/", NULL, "Chromium", "Chromium/", 0},
    {"SeaMonkey/", NULL, "SeaMonkey", "SeaMonkey/", 0},
    {"Thunderbird/", NULL, "Thunderbird", "Thunderbird/", 0},
    /* the browsers themselves */
    {"Mobile; rv:", NULL, "Firefox Mobile", "Firefox/", 0},
    {"Firefox/", "Android", "Firefox", "Firefox/", 0},
    {"Firefox/", NULL, "Firefox Mobile", "Firefox/", 0},
    {"Chrome/", "Mobile", "Chrome", "Chrome/", 0},
    {"Chrome/", NULL, "Chrome Mobile", "Chrome/", 0},
    {"MSIE ", NULL, "IE", "MSIE ", 0},
    {"Trident/", NULL, "IE", "rv:", 0},
    {"Android", NULL, "Android", "Android ", 0},
    {"iPhone", "Safari/", "Mobile Safari UI/WKWebView", NULL, 0},
    {"iPhone", NULL, "Mobile Safari", "Version/", 0},
    {"iPad", NULL, "Mobile Safari", "Version/", 0},
    {"iPod", NULL, "Mobile Safari", "Version/", 0},
    {"Safari/", NULL, "Safari", "Version/", 0},
    /* tools and libraries */
    {"curl/", NULL, "curl", "curl/", 0},
    {"Wget/", NULL, "Wget", "Wget/", 0},
    {"python-requests/", NULL, "Python Requests", "python-requests/", 2},
    {"Python-urllib/", NULL, "Python-urllib", "Python-urllib/", 0},
    {"python-urllib3/", NULL, "Python-urllib", "python-urllib3/", 0},
    {"Go-http-client/", NULL, "Go-http-client", "Go-http-client/", 0},
    {"okhttp/", NULL, "okhttp", "okhttp/", 0},
    {"Apache-HttpClient/", NULL, "Apache-HttpClient", "Apache-HttpClient/", 0},
    {"Java/", NULL, "Java", "Java/", 0},
    {"axios/", NULL, "axios", "axios/", 0},
    {"node-fetch/", NULL, "node-fetch", "node-fetch/", 0},
    {"PostmanRuntime/", NULL, "PostmanRuntime", "PostmanRuntime/", 0},
    {"insomnia/", NULL, "Insomnia", "insomnia/", 0},
    {"libwww-perl/", NULL, "libwww-perl", "libwww-perl/", 0},
    {"CFNetwork/", NULL, "CFNetwork", "CFNetwork/", 0},
};

static const struct rule systems[] = {
    {"Windows Phone", NULL, "Windows Phone", "Windows Phone ", 0},
    {"Android", NULL, "Android", "Android ", 0},
    {"Windows NT", NULL, "Windows", "Windows NT ", 0},
    {"Windows 98", NULL, "Windows", "Windows ", 0},
    {"Windows", NULL, "Windows", NULL, 0},
    {"iPhone", NULL, "iOS", " OS ", 0},
    {"iPad", NULL, "iOS", " OS ", 0},
    {"iPod", NULL, "iOS", " OS ", 0},
    {"Mac OS X", NULL, "Mac OS X", "Mac OS X ", 0},
    {"Macintosh", NULL, "Mac OS X", NULL, 0},
    {"CrOS", NULL, "Chrome OS", "CrOS x86_64 ", 0},
    {"Tizen", NULL, "Tizen", "Tizen ", 0},
    {"Ubuntu", NULL, "Ubuntu", "Ubuntu/", 0},
    {"Debian", NULL, "Debian", "Debian/", 0},
    {"Fedora", NULL, "Fedora", "Fedora/", 0},
    {"FreeBSD", NULL, "FreeBSD", "FreeBSD ", 0},
    {"OpenBSD", NULL, "OpenBSD", "OpenBSD ", 0},
    {"Linux", NULL, "Linux", NULL, 0},
};

/* What Windows calls the versions of its kernel. */
static const char *const windows[][2] = {{"10.0", "10"}, {"6.3", "8.1"},   {"6.2", "8"},
                                         {"6.1", "7"},   {"6.0", "Vista"}, {"5.2", "XP"},
                                         {"5.1", "XP"},  {"5.0", "2000"}};

static const uint8_t *find(struct hf_slice text, const char *part)
{
    return text.size > 0 ? memmem(text.data, text.size, part, strlen(part)) : NULL;
}

static const struct rule *find_rule(const struct rule *rules, size_t count, struct hf_slice text)
{
    for (size_t i = 0; i < count; i++) {
        if (find(text, rules[i].needs) != NULL &&
            (rules[i].lacks == NULL || find(text, rules[i].lacks) == NULL)) {
            return &rules[i];
        }
    }
    return NULL;
}

#define VERSION_MAX 40u

/* So many numbers at most behind `mark`, with dots between them. */
static struct hf_slice version_behind(struct hf_slice text, const char *mark, size_t parts,
                                      char room[VERSION_MAX])
{
    const uint8_t *found = mark != NULL ? find(text, mark) : NULL;
    size_t size = 0;
    if (found == NULL) {
        return HF_EMPTY_SLICE;
    }
    size_t at = (size_t)(found - text.data) + strlen(mark);
    parts = parts == 0 ? VERSION_PARTS : parts;
    for (size_t part = 0; part < parts && at < text.size && isdigit(text.data[at]); part++) {
        if (part > 0) {
            room[size++] = '.';
        }
        while (at < text.size && isdigit(text.data[at]) && size < VERSION_MAX - 1) {
            room[size++] = (char)text.data[at++];
        }
        if (at >= text.size || (text.data[at] != '.' && text.data[at] != '_')) {
            break;
        }
        at++;
    }
    return hf_slice_of(room, size);
}

static struct hf_slice system_version(const struct rule *rule, struct hf_slice text,
                                      char room[VERSION_MAX])
{
    struct hf_slice version = version_behind(text, rule->version, rule->parts, room);
    if (strcmp(rule->needs, "Windows NT") != 0) {
        return version;
    }
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        if (hf_slice_is(version, windows[i][0])) {
            return hf_slice_text(windows[i][1]);
        }
    }
    return HF_EMPTY_SLICE;
}

static bool put(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const char *key,
                struct hf_slice text)
{
    struct hf_ottl_value value = hf_ottl_string(text);
    struct hf_slice encoded;
    return hf_ottl_encode(run, &value, &encoded) &&
           hf_ottl_pairs_put(run, pairs, hf_slice_text(key), encoded);
}

static bool user_agent(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                       const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct hf_slice text = arguments[0].bytes;
    const struct rule *agent = find_rule(agents, sizeof(agents) / sizeof(agents[0]), text);
    const struct rule *system = find_rule(systems, sizeof(systems) / sizeof(systems[0]), text);
    char room[VERSION_MAX];
    struct hf_ottl_pairs pairs;
    (void)call;
    struct hf_slice version =
        agent != NULL ? version_behind(text, agent->version, agent->parts, room) : HF_EMPTY_SLICE;
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 5, &pairs) ||
        !put(run, &pairs, "user_agent.name",
             hf_slice_text(agent != NULL ? agent->family : "Other")) ||
        !put(run, &pairs, "user_agent.original", text) ||
        !put(run, &pairs, "user_agent.version", version) ||
        !put(run, &pairs, "os.name", hf_slice_text(system != NULL ? system->family : "Other"))) {
        return false;
    }
    version = system != NULL ? system_version(system, text, room) : HF_EMPTY_SLICE;
    return (version.size == 0 || put(run, &pairs, "os.version", version)) &&
           hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

const struct hf_ottl_function hf_ottl_user_agents[] = {
    {.name = "UserAgent", .arguments = {{"user_agent", HF_ARG_STRING}}, .run = user_agent},
    {.name = NULL},
};
