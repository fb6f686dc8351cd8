/*
 * config_checks: checks of single values, for the tables of keys.
 */
#pragma once

/* Each is the `validate` of a field (holdfast/field.h). */
const char *prom_expect_duration(const char *key, const char *text);
const char *prom_expect_tls_version(const char *key, const char *text);
const char *prom_expect_protocol(const char *key, const char *text);
const char *prom_expect_validation(const char *key, const char *text);
const char *prom_expect_escaping(const char *key, const char *text);
const char *prom_expect_url(const char *key, const char *text);
