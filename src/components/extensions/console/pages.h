/*
 * pages: the functions of the pages, each in its own page_*.c: what the routes point to. The
 * headings and parameters of each stand there.
 */
#pragma once

#include "view.h"

void hf_console_show_map(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_component(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_queues(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_queue(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_letters(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_letters_of(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_ask_letters(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_change_letters(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_export_letters(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_records(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_record(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_outages(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_certificates(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_reloads(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_show_validate(struct hf_console_view *view, struct hf_console_page *page);
void hf_console_run_validate(struct hf_console_view *view, struct hf_console_page *page);
