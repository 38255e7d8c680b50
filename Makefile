# SPDX-License-Identifier: GPL-2.0-or-later
#
# The only build system. Two commands are enough on a fresh Debian 12 that has
# make and a compiler:
#
#	make run	install what is missing, build, open the console on a simulated DGX H100
#	make check	install what the tests need, build, run every test
#
# For packagers: make, make install DESTDIR=… prefix=/usr
# For developers: DEVELOPER=1 (warnings are errors), SAN=address,undefined, V=1

VERSION = 0.1.0

prefix = /usr/local
bindir = $(prefix)/bin
libdir = $(prefix)/lib
datadir = $(prefix)/share
mandir = $(datadir)/man
DESTDIR =

SAN =
comma := ,
BUILD = build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

CC ?= gcc
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
LDFLAGS ?=

DEPS = gcc libc6-dev pkg-config libncurses-dev libpci-dev libjson-c-dev libyaml-dev libxml2-dev uuid-dev libudev-dev
VM_DEPS = qemu-system-x86 busybox-static systemd e2fsprogs cpio kmod xz-utils zstd binutils gcc libc6-dev linux-headers-amd64
TEST_DEPS = $(DEPS) libcmocka-dev libvterm-dev tmux python3 python3-jsonschema umockdev libumockdev-dev

.DEFAULT_GOAL := all
Q = $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

# ---------------------------------------------------------------- what is built

SOURCES = $(wildcard src/base/*.c src/core/*.c src/codec/*.c src/cli/*.c backend/*.c ui/*.c) \
	  $(filter-out $(wildcard backend/sim/standin*.c),$(wildcard backend/sim/*.c))
# the stand-in NVML is a library of its own, as the real one is
STANDIN_SOURCES = $(wildcard backend/sim/*.c) $(wildcard src/base/*.c)
HEADERS = $(wildcard src/*/*.h backend/*.h backend/sim/*.h ui/*.h tests/lib/*.h)

OBJECTS = $(SOURCES:%.c=$(BUILD)/obj/%.o)
LIB_OBJECTS = $(filter-out $(BUILD)/obj/src/cli/main.o,$(OBJECTS))
STANDIN_OBJECTS = $(STANDIN_SOURCES:%.c=$(BUILD)/pic/%.o)

PROGRAM = $(BUILD)/gpuslice
STANDIN = $(BUILD)/sim/libnvidia-ml.so.1
STANDIN_470 = $(BUILD)/sim/libnvidia-ml-470.so.1

TEST_LIB_OBJECTS = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/lib/*.c))
TEST_SOURCES = $(wildcard tests/unit/test_*.c tests/plan/test_*.c tests/property/prop_*.c tests/screen/test_*.c tests/e2e/test_*.c)
TESTS = $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SOURCES))
VM_TESTS = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/vm/test_*.c))
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS = $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))

# ---------------------------------------------------------------- flags

# pkg-config modules and the Debian packages that bring them
LIBS = ncursesw:libncurses-dev libpci:libpci-dev json-c:libjson-c-dev yaml-0.1:libyaml-dev libxml-2.0:libxml2-dev uuid:uuid-dev libudev:libudev-dev
TEST_LIBS = cmocka:libcmocka-dev vterm:libvterm-dev
modules = $(foreach l,$(1),$(firstword $(subst :, ,$(l))))

PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(call modules,$(LIBS)) 2>/dev/null)
PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(call modules,$(LIBS)) 2>/dev/null)
TEST_PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(call modules,$(TEST_LIBS)) 2>/dev/null)

WARNINGS = -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wformat-signedness -Wpointer-arith -Wcast-align \
	   -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations -Wold-style-definition -Wredundant-decls \
	   -Wwrite-strings -Wimplicit-fallthrough -Wlogical-op -Wduplicated-cond \
	   -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion \
	   -Werror=return-type -Werror=missing-prototypes -Werror=format -Werror=undef $(if $(DEVELOPER),-Werror)
ifneq ($(findstring clang,$(CC)),)
WARNINGS := $(filter-out -Wlogical-op -Wduplicated-cond,$(WARNINGS)) -Wno-unknown-warning-option -Wno-gnu-statement-expression
endif
HARDENING = -fstack-protector-strong -fno-strict-aliasing -fno-common $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SAN_FLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)

override CPPFLAGS += -D_GNU_SOURCE -DGS_VERSION='"$(VERSION)"' -Isrc -I.
ALL_CFLAGS = -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SAN_FLAGS) $(PKG_CFLAGS)
ALL_LDFLAGS = $(LDFLAGS) $(SAN_FLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed

# ---------------------------------------------------------------- rules

.PHONY: all run check check-vm deps test-deps vm-deps build-tests install clean start check-static bench soak picture
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM) $(STANDIN) $(STANDIN_470)

# one sentence per missing library, with the package to install
$(BUILD)/.libs-found: Makefile
	@mkdir -p $(@D)
	@command -v $(PKG_CONFIG) >/dev/null || { echo "$(PKG_CONFIG) is missing: apt-get install pkg-config (or: make deps)" >&2; exit 1; }
	@missing=; for l in $(LIBS); do $(PKG_CONFIG) --exists "$${l%%:*}" || \
		{ echo "library $${l%%:*} is missing: apt-get install $${l##*:} (or: make deps)" >&2; missing=1; }; done; test -z "$$missing"
	@touch $@

$(BUILD)/.test-libs-found: $(BUILD)/.libs-found
	@missing=; for l in $(TEST_LIBS); do $(PKG_CONFIG) --exists "$${l%%:*}" || \
		{ echo "library $${l%%:*} is missing: apt-get install $${l##*:} (or: make test-deps)" >&2; missing=1; }; done; test -z "$$missing"
	@touch $@

$(BUILD)/obj/%.o: %.c | $(BUILD)/.libs-found
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIE -MMD -MP -c -o $@ $<

$(BUILD)/pic/%.o: %.c | $(BUILD)/.libs-found
	@mkdir -p $(@D)
	$(call say,CC,"$< (stand-in)")
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(BUILD)/libgpuslice.a: $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(PROGRAM): $(BUILD)/obj/src/cli/main.o $(BUILD)/libgpuslice.a
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl

$(STANDIN): $(STANDIN_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libnvidia-ml.so.1 $(if $(SAN),,-Wl$(comma)-z$(comma)defs) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# the same, with what a library of that time has
$(STANDIN_470): $(STANDIN_OBJECTS) backend/sim/standin-470.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libnvidia-ml.so.1 -Wl,--version-script=backend/sim/standin-470.map $(if $(SAN),,-Wl$(comma)-z$(comma)defs) $(ALL_LDFLAGS) -o $@ $(STANDIN_OBJECTS) $(PKG_LIBS)

$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/libgpuslice.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_LIB_OBJECTS) $(BUILD)/libgpuslice.a | $(BUILD)/.test-libs-found
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(TEST_PKG_LIBS) $(PKG_LIBS) -ldl

# hotplug is tested on umockdev's machine where there is one; the test says when it is not
UMOCKDEV := $(shell $(PKG_CONFIG) --exists umockdev-1.0 2>/dev/null && echo umockdev-1.0)
ifneq ($(UMOCKDEV),)
$(BUILD)/obj/tests/e2e/test_hotplug.o: override CPPFLAGS += -DGS_HAVE_UMOCKDEV=1 $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(UMOCKDEV)))
$(BUILD)/tests/e2e/test_hotplug: TEST_PKG_LIBS += $(shell $(PKG_CONFIG) --libs $(UMOCKDEV))
endif

# ---- pages and completion, from the tables in the code

GENDOC = $(BUILD)/gendoc
DOCS = $(patsubst packaging/%.in,$(BUILD)/%,$(wildcard packaging/man/*.in packaging/completion/*.in))

all: $(DOCS)

$(GENDOC): $(BUILD)/obj/packaging/gendoc.o $(BUILD)/libgpuslice.a
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -ldl

$(DOCS): $(BUILD)/%: packaging/%.in $(GENDOC)
	@mkdir -p $(@D)
	$(call say,DOC,$@)
	$(Q)$(GENDOC) fill $< >$@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------- what people type

# nothing is asked and nothing is done when all is there
define install_packages
	@missing=; for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
		if ! command -v apt-get >/dev/null; then echo "please install what these Debian packages bring:$$missing" >&2; exit 0; fi; \
		sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
		echo "installing:$$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		$$sudo apt-get -qq update && $$sudo apt-get -qq install -y --no-install-recommends $$missing </dev/null >/dev/null; \
	fi
endef

deps:
	$(call install_packages,$(DEPS))

test-deps:
	$(call install_packages,$(TEST_DEPS))

vm-deps:
	$(call install_packages,$(VM_DEPS))

JOBS = $(shell nproc 2>/dev/null || echo 2)

run: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory start

# without a terminal there is nobody to drag: one frame, and out
start:
	@if [ -t 0 ] && [ -t 1 ]; then exec $(PROGRAM) --sim dgx-h100; else $(PROGRAM) --sim dgx-h100 agent --publish && exec $(PROGRAM) --sim dgx-h100 monitor --once; fi

check: test-deps
	@$(MAKE) --no-print-directory -j$(JOBS) DEVELOPER=1 all build-tests
	@BUILD=$(BUILD) CC="$(CC)" sh tests/run.sh

# what only a real kernel can tell, in QEMU; tests/vm/README.md
check-vm: test-deps vm-deps
	@$(MAKE) --no-print-directory -j$(JOBS) DEVELOPER=1 all build-tests
	@BUILD=$(BUILD) CC="$(CC)" sh tests/vm/run.sh

build-tests: $(TESTS) $(VM_TESTS) $(FUZZERS) $(TOOLS)

# faults at every step of ever new commits, until the time is over or one is lost: make soak SOAK_SECONDS=600, SEED=… make soak
SOAK_SECONDS = 3600
soak: test-deps
	@$(MAKE) --no-print-directory -j$(JOBS) DEVELOPER=1 $(BUILD)/tests/property/prop_faults
	@SECONDS_TO_RUN=$(SOAK_SECONDS) $(BUILD)/tests/property/prop_faults

bench: all
	@BUILD=$(BUILD) sh tests/bench/run.sh

# the picture in README.md, taken from the real program
picture: all $(TOOLS)
	$(Q)BUILD=$(BUILD) sh tests/tools/picture.sh docs/screen.svg

install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(libdir)/gpuslice/sim $(DESTDIR)$(datadir)/gpuslice $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5
	install -m 755 $(PROGRAM) $(DESTDIR)$(bindir)/gpuslice
	install -m 755 $(STANDIN) $(DESTDIR)$(libdir)/gpuslice/sim/libnvidia-ml.so.1
	install -m 755 $(STANDIN_470) $(DESTDIR)$(libdir)/gpuslice/sim/libnvidia-ml-470.so.1
	for d in mig vgpu hosts schema; do install -d $(DESTDIR)$(datadir)/gpuslice/$$d; install -m 644 data/$$d/*.json $(DESTDIR)$(datadir)/gpuslice/$$d/; done
	install -m 644 data/services.json $(DESTDIR)$(datadir)/gpuslice/
	install -d $(DESTDIR)$(datadir)/gpuslice/themes
	install -m 644 themes/*.json $(DESTDIR)$(datadir)/gpuslice/themes/
	install -m 644 $(filter %.1,$(DOCS)) $(DESTDIR)$(mandir)/man1/
	install -m 644 $(filter %.5,$(DOCS)) $(DESTDIR)$(mandir)/man5/
	install -d $(DESTDIR)$(datadir)/bash-completion/completions $(DESTDIR)$(libdir)/systemd/system $(DESTDIR)$(libdir)/sysusers.d
	install -m 644 $(BUILD)/completion/gpuslice.bash $(DESTDIR)$(datadir)/bash-completion/completions/gpuslice
	install -m 644 packaging/systemd/gpuslice-publish.service packaging/systemd/gpuslice-publish.timer packaging/systemd/gpuslice-restore.service $(DESTDIR)$(libdir)/systemd/system/
	install -m 644 packaging/sysusers.d/gpuslice.conf $(DESTDIR)$(libdir)/sysusers.d/

clean:
	rm -rf build
