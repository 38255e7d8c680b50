/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka.h - cmocka 1.1.5 wants these before itself. */
#ifndef GS_TESTS_CMOCKA_H
#define GS_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
