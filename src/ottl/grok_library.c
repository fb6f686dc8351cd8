/*
 * The patterns that grok knows by name. Names are those that Logstash and its successors share;
 * parts that a pattern captures have the names of the Elastic Common Schema.
 */
#include <stdlib.h>
#include <string.h>

#include "grok.h"

#define OCTET "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
#define DOTTED OCTET "\\." OCTET "\\." OCTET "\\." OCTET
#define QUAD "[0-9A-Fa-f]{1,4}"
#define TAIL_OF(most) "(?:(?::" QUAD "){1," most "}|:)"
#define FOUR_IN_SIX(before, most)                                                                  \
    "(?:" QUAD ":){" before "}(?:(?::" QUAD "){0," most "}:" DOTTED "|"
#define LABEL "[0-9A-Za-z][0-9A-Za-z-]{0,62}"
#define MAC_PAIR "[A-Fa-f0-9]{2}"

static const struct pattern {
    const char *name, *pattern;
} patterns[] = {
    /* texts and numbers */
    {"WORD", "\\b\\w+\\b"},
    {"NOTSPACE", "\\S+"},
    {"SPACE", "\\s*"},
    {"DATA", ".*?"},
    {"GREEDYDATA", ".*"},
    {"INT", "[+-]?[0-9]+"},
    {"NUMBER", "%{BASE10NUM}"},
    {"BOOL", "true|false"},
    {"BASE10NUM", "[+-]?[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+"},
    {"BASE16NUM", "[+-]?(?:0x)?[0-9A-Fa-f]+"},
    {"BASE16FLOAT", "[+-]?(?:0x)?[0-9A-Fa-f]+(?:\\.[0-9A-Fa-f]*)?"},
    {"POSINT", "\\b[1-9][0-9]*\\b"},
    {"NONNEGINT", "\\b[0-9]+\\b"},
    {"QUOTEDSTRING", "\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'"},
    {"QS", "%{QUOTEDSTRING}"},
    {"UUID", "[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}"},
    {"URN", "urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[0-9A-Za-z()+,.:=@;$_!*'/?#-]+"},
    /* the network */
    {"IPV4", DOTTED},
    {"IPV6", "(?:(?:" QUAD ":){7}(?:" QUAD "|:)"
             "|(?:" QUAD ":){6}(?::" QUAD "|" DOTTED "|:)"
             "|" FOUR_IN_SIX("5", "0")
                 TAIL_OF("2") ")"
                              "|" FOUR_IN_SIX("4", "1") TAIL_OF(
                                  "3") ")"
                                       "|" FOUR_IN_SIX("3", "2") TAIL_OF(
                                           "4") ")"
                                                "|" FOUR_IN_SIX("2", "3") TAIL_OF(
                                                    "5") ")"
                                                         "|" FOUR_IN_SIX("1", "4") TAIL_OF(
                                                             "6") ")"
                                                                  "|:(?:(?::" QUAD "){0,5}:" DOTTED
                                                                  "|" TAIL_OF("7") "))(?:%.+)?"},
    {"IP", "%{IPV6}|%{IPV4}"},
    {"HOSTNAME", "\\b" LABEL "(?:\\." LABEL ")*(?:\\.?|\\b)"},
    {"IPORHOST", "%{IP}|%{HOSTNAME}"},
    {"HOSTPORT", "%{IPORHOST}:%{POSINT}"},
    {"USERNAME", "[a-zA-Z0-9._-]+"},
    {"USER", "%{USERNAME}"},
    {"EMAILLOCALPART", "[a-zA-Z][a-zA-Z0-9_.+=:,<;-]+"},
    {"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
    {"CISCOMAC", "[A-Fa-f0-9]{4}(?:\\.[A-Fa-f0-9]{4}){2}"},
    {"WINDOWSMAC", MAC_PAIR "(?:-" MAC_PAIR "){5}"},
    {"COMMONMAC", MAC_PAIR "(?::" MAC_PAIR "){5}"},
    {"MAC", "%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}"},
    /* paths */
    {"UNIXPATH", "(?:/[\\w%!$@:.,+~-]+)+"},
    {"TTY", "/dev/(?:pts|tty[pq]?)\\w*/?[0-9]+"},
    {"WINPATH", "[A-Za-z]+:(?:\\\\[^\\\\?*]+)+"},
    {"PATH", "%{UNIXPATH}|%{WINPATH}"},
    {"URIPROTO", "[A-Za-z][A-Za-z0-9+.-]+"},
    {"URIHOST", "%{IPORHOST}(?::%{POSINT})?"},
    {"URIPATH", "(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]+)+"},
    {"URIQUERY", "[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\\[\\]<>-]*"},
    {"URIPARAM", "\\?%{URIQUERY}"},
    {"URIPATHPARAM", "%{URIPATH}(?:\\?%{URIQUERY})?"},
    {"URI", "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?%{URIHOST}(?:%{URIPATH}(?:\\?%{URIQUERY})?)?"},
    /* dates and times */
    {"MONTH", "\\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|"
              "Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\\b"},
    {"MONTHNUM", "0[1-9]|1[0-2]"},
    {"MONTHDAY", "0[1-9]|[12][0-9]|3[01]|[1-9]"},
    {"DAY", "\\b(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\\b"},
    {"YEAR", "(?:\\d\\d){1,2}"},
    {"HOUR", "2[0-3]|[01]?[0-9]"},
    {"MINUTE", "[0-5][0-9]"},
    {"SECOND", "(?:[0-5][0-9]|60)(?:[:.,][0-9]+)?"},
    {"TIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})?"},
    {"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
    {"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
    {"DATE", "%{DATE_US}|%{DATE_EU}"},
    {"TZ", "[PMACE][SED]T|UTC"},
    {"ISO8601_TIMEZONE", "Z|[+-]%{HOUR}:?%{MINUTE}"},
    {"ISO8601_SECOND", "%{SECOND}"},
    {"TIMESTAMP_ISO8601", "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?"
                          "%{ISO8601_TIMEZONE}?"},
    {"DATESTAMP", "%{DATE}[- ]%{TIME}"},
    {"DATESTAMP_RFC822", "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"},
    {"DATESTAMP_RFC2822", "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"},
    {"DATESTAMP_OTHER", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"},
    {"DATESTAMP_EVENTLOG", "%{YEAR}%{MONTHNUM}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"},
    {"HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"},
    {"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},
    {"LOGLEVEL", "(?i)(?:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|"
                 "crit(?:ical)?|fatal|severe|emerg(?:ency)?)"},
    /* syslog */
    {"PROG", "[!-Z\\\\^-~]+"},
    {"SYSLOGPROG", "%{PROG}(?:\\[\\d+\\])?"},
    {"SYSLOGHOST", "%{IPORHOST}"},
    {"SYSLOGFACILITY", "<%{NONNEGINT}.%{NONNEGINT}>"},
    {"SYSLOGBASE", "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:host.name} "
                   "%{SYSLOGPROG}:"},
    {"SYSLOGBASE2", "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})"
                    "(?: %{SYSLOGFACILITY})?(?: %{SYSLOGHOST:host.name})?(?: %{SYSLOGPROG}:)?"},
    {"SYSLOGLINE", "%{SYSLOGBASE2} %{GREEDYDATA:message}"},
    {"SYSLOG5424PRINTASCII", "[!-~]+"},
    {"SYSLOG5424PRI", "<%{NONNEGINT:log.syslog.priority:int}>"},
    {"SYSLOG5424SD", "\\[%{DATA}\\]+"},
    {"SYSLOG5424BASE", "%{SYSLOG5424PRI}%{NONNEGINT:system.syslog.version} "
                       "+(?:-|%{TIMESTAMP_ISO8601:timestamp}) +(?:-|%{IPORHOST:host.name}) "
                       "+(?:-|%{SYSLOG5424PRINTASCII:process.command}) "
                       "+(?:-|%{POSINT:process.pid:int}) +(?:-|%{SYSLOG5424PRINTASCII:event.code}) "
                       "+(?:-|%{SYSLOG5424SD:system.syslog.structured_data})?"},
    {"SYSLOG5424LINE", "%{SYSLOG5424BASE} +%{GREEDYDATA:message}"},
    {"CRON_ACTION", "[A-Z ]+"},
    {"CRONLOG", "%{SYSLOGBASE} \\(%{USER:user.name}\\) %{CRON_ACTION:system.cron.action} "
                "\\(%{DATA:message}\\)"},
    /* web servers */
    {"HTTPDUSER", "%{EMAILADDRESS}|%{USER}"},
    {"HTTPDERROR_DATE", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}"},
    {"HTTPD_COMMONLOG",
     "%{IPORHOST:source.address} (?:-|%{HTTPDUSER:apache.access.user.identity}) "
     "(?:-|%{HTTPDUSER:user.name}) \\[%{HTTPDATE:timestamp}\\] "
     "\"(?:%{WORD:http.request.method} %{NOTSPACE:url.original}(?: HTTP/%{NUMBER:http.version})?"
     "|%{DATA})\" (?:-|%{INT:http.response.status_code:int}) "
     "(?:-|%{INT:http.response.body.size:long})"},
    {"HTTPD_COMBINEDLOG", "%{HTTPD_COMMONLOG} \"(?:-|%{DATA:http.request.referrer})\" "
                          "\"(?:-|%{DATA:user_agent.original})\""},
    {"COMMONAPACHELOG", "%{HTTPD_COMMONLOG}"},
    {"COMBINEDAPACHELOG", "%{HTTPD_COMBINEDLOG}"},
    {"HTTPD20_ERRORLOG", "\\[%{HTTPDERROR_DATE:timestamp}\\] \\[%{LOGLEVEL:log.level}\\] "
                         "(?:\\[client %{IPORHOST:source.address}\\] )?%{GREEDYDATA:message}"},
    /* Java and Ruby */
    {"JAVACLASS", "(?:[a-zA-Z$_][a-zA-Z$_0-9]*\\.)*[a-zA-Z$_][a-zA-Z$_0-9]*"},
    {"JAVAFILE", "[a-zA-Z$_0-9. -]+"},
    {"JAVAMETHOD", "<(?:cl)?init>|[a-zA-Z$_][a-zA-Z$_0-9]*"},
    {"JAVATHREAD", "[A-Z]{2}-Processor\\d+"},
    {"JAVALOGMESSAGE", ".*"},
    {"JAVASTACKTRACEPART",
     "%{SPACE}at %{JAVACLASS:java.log.origin.class.name}\\.%{JAVAMETHOD:log.origin.function}"
     "\\(%{JAVAFILE:log.origin.file.name}(?::%{INT:log.origin.file.line:int})?\\)"},
    {"RUBY_LOGLEVEL", "DEBUG|FATAL|ERROR|WARN|INFO"},
    {"RUBY_LOGGER",
     "[DFEWI], \\[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:process.pid:int}\\] "
     "*%{RUBY_LOGLEVEL:log.level} -- +%{DATA:process.command}: %{GREEDYDATA:message}"},
    /* databases and proxies */
    {"REDISTIMESTAMP", "%{MONTHDAY} %{MONTH} %{TIME}"},
    {"REDISLOG", "\\[%{POSINT:process.pid:int}\\] %{REDISTIMESTAMP:timestamp} \\*"},
    {"POSTGRESQL", "%{DATESTAMP:timestamp} %{TZ:event.timezone} %{DATA:user.name} "
                   "%{GREEDYDATA:postgresql.log.connection_id} %{POSINT:process.pid:int}"},
    {"SQUID3_STATUS", "%{POSINT:http.response.status_code:int}|0|000"},
    {"SQUID3",
     "%{NUMBER:timestamp}\\s+%{NUMBER:squid.request.duration:int}\\s%{IP:source.address}\\s"
     "%{WORD:event.action}/%{SQUID3_STATUS}\\s%{INT:http.response.bytes:long}\\s"
     "%{WORD:http.request.method}\\s%{NOTSPACE:url.original}\\s(?:-|%{NOTSPACE:user.name})\\s"
     "%{WORD:squid.hierarchy_code}/(?:-|%{IPORHOST:destination.address})\\s"
     "(?:-|%{NOTSPACE:http.response.mime_type})"},
};

const char *hf_grok_library(struct hf_slice name)
{
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (hf_slice_is(name, patterns[i].name)) {
            return patterns[i].pattern;
        }
    }
    return NULL;
}
