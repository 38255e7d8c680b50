/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a vGPU driver's attributes may hold: no bytes crash, and what is taken can be shown, compared and trusted to be what was there. */
#include "codec/vgpu_text.h"
#include "tests/fuzz/fuzz.h"

static void check_shown(const char *s)
{
	size_t bad;

	FUZZ_REQUIRE(gs_utf8_is_valid(s, strlen(s), &bad));
	for (; *s; s++)
		FUZZ_REQUIRE((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void check_table(const char *bytes, size_t n)
{
	struct gs_vgpu_table t;

	gs_vgpu_table_parse(bytes, n, &t);
	FUZZ_REQUIRE(t.n <= GS_VGPU_TYPES_MAX);
	/* "1:x" and a newline */
	FUZZ_REQUIRE((t.n + t.n_ignored) * 2 <= n + 1);
	for (size_t i = 0; i < t.n; i++) {
		uint64_t framebuffer_bytes = 1;

		FUZZ_REQUIRE(t.rows[i].type_id != 0);
		FUZZ_REQUIRE(t.rows[i].name[0] && memchr(t.rows[i].name, '\0', sizeof(t.rows[i].name)));
		FUZZ_REQUIRE(gs_vgpu_table_by_id(&t, t.rows[i].type_id) == &t.rows[i]);
		FUZZ_REQUIRE(gs_vgpu_table_by_name(&t, t.rows[i].name));
		check_shown(t.rows[i].name);
		gs_vgpu_name_framebuffer(t.rows[i].name, &framebuffer_bytes);
		FUZZ_REQUIRE(framebuffer_bytes != 0);
	}
}

static void check_description(const char *bytes, size_t n)
{
	struct gs_mdev_description d;

	gs_mdev_description_parse(bytes, n, &d);
	FUZZ_REQUIRE(!d.framebuffer_bytes.known || d.framebuffer_bytes.value >= 1u << 20);
	FUZZ_REQUIRE(memchr(d.max_resolution, '\0', sizeof(d.max_resolution)));
	FUZZ_REQUIRE(strspn(d.max_resolution, "0123456789x") == strlen(d.max_resolution));
}

static void check_name(const char *bytes, size_t n)
{
	struct gs_vgpu_name name;
	char *text = malloc(n + 1);

	FUZZ_REQUIRE(text);
	if (n)
		memcpy(text, bytes, n);
	text[n] = '\0';
	if (gs_vgpu_name_parse(text, &name) == 0) {
		FUZZ_REQUIRE(name.n_prefix > 0 && name.n_prefix < strlen(text));
		FUZZ_REQUIRE(strchr("ABCQ", name.series) && name.framebuffer_bytes >= 1u << 30);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	check_table((const char *)bytes, n);
	check_description((const char *)bytes, n);
	check_name((const char *)bytes, n);
	return 0;
}
