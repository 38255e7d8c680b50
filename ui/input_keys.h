/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input_keys.h - what the numbers in terminal sequences mean; pure tables for ui/input.c. */
#ifndef GS_UI_INPUT_KEYS_H
#define GS_UI_INPUT_KEYS_H

#include "ui/input.h"

/* The final letter of CSI keys; GS_KEY_NONE when it is none. */
uint32_t gs_key_by_letter(unsigned char final);
/* Of SS3 keys: those and the numeric keypad in application mode. */
uint32_t gs_key_by_ss3(unsigned char final);
/* CSI n ~ */
uint32_t gs_key_by_number(int n);
/* A character as modifyOtherKeys and the kitty protocol report it; @bits: shift 1, ctrl 4. */
uint32_t gs_key_by_code(int code, unsigned bits);

/* A UTF-8 character that comes byte by byte. */
struct gs_utf8 {
	uint32_t code, smallest;
	unsigned left;                  /* bytes to come; 0: none under way */
};

void gs_utf8_begin(struct gs_utf8 *u, unsigned char byte);
/*
 * True when @byte belonged to the character. The last byte gives *@ret_code,
 * unless the character is malformed or a C1 control. A byte that does not
 * belong ends it.
 */
bool gs_utf8_continue(struct gs_utf8 *u, unsigned char byte, uint32_t *ret_code);

enum gs_mouse_report { GS_MOUSE_REPORT_X10, GS_MOUSE_REPORT_SGR, GS_MOUSE_REPORT_SGR_RELEASE };

/*
 * A mouse report, coordinates from 1. False when it is no event of ours.
 * *@held_button remembers the last press: X10 does not say what was released.
 */
bool gs_mouse_decode(int bits, int column, int row, enum gs_mouse_report report, int *held_button, struct gs_event *ret_event);

#endif
