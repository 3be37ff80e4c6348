# SPDX-License-Identifier: GPL-2.0
#
# A thin front door: every target is one script or one sub-make.

ifeq ($(origin KDIR),undefined)
KDIR := $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -d /lib/modules/*/build 2>/dev/null | sort -rV | head -n 1))
endif
KVER = $(shell awk -F'"' '/UTS_RELEASE/ { print $$2 }' $(KDIR)/include/generated/utsrelease.h)
VERSION = $(shell scripts/dkms.sh version)
PREFIX ?= /usr
DESTDIR ?=

.PHONY: all
all: modules tools

.PHONY: help
help:
	@echo 'Building:'
	@echo '  all (default)   modules and tools'
	@echo '  modules         nflb.ko and nflb_toa.ko for the kernel whose headers are in KDIR'
	@echo '                  ($(KDIR))'
	@echo '  tools           userspace/build/lbadm'
	@echo '  install         both, below DESTDIR; PREFIX=/usr/local for another place than /usr'
	@echo '  uninstall       remove the installed files (same DESTDIR and PREFIX)'
	@echo '  dkms-install    the module by DKMS, for each installed kernel and later ones'
	@echo '  clean'
	@echo 'Trying:'
	@echo '  demo            a balancer and three web servers in a virtual machine'
	@echo '  shell           a shell there, or in TOPOLOGY=router, fullnat, one-arm or dsr, with'
	@echo '                  nothing configured (KERNEL=6.1, 6.12, debug, uml)'
	@echo 'Checking:'
	@echo '  check           static checks: scripts/check.sh'
	@echo '  test            the tests for a change; the last line is the sum'
	@echo '  test-all        every case on every kernel in every setting, bench, packages: hours'
	@echo '  kunit           unit tests in a debug kernel (KERNEL=uml or debug)'
	@echo '  e2e             end-to-end cases on 6.1 and 6.12 (CASES="10-http ...")'
	@echo '  dkms            build by DKMS for 6.1 and 6.12, in a private tree'
	@echo "  bench           the cost of a packet, and of a scheduler's pick, in instructions"
	@echo "  bench-native    a packet in nanoseconds, under User Mode Linux, with a million flows"
	@echo '  fuzz            a million almost valid packets, and as many netlink messages'
	@echo '  soak            a minute of iperf3 and nginx by XDP in each mode, while routes change'
	@echo '  chaos           ten minutes of everything at once'
	@echo '  faults          each allocation fails once'
	@echo '  floods          floods of a million packets, a real client beside them, against IPVS'
	@echo '  user            half an hour of attacks by a user without privileges'
	@echo '  coverage        the lines of kmod/ that the tests run'
	@echo '  test-packages   the Debian packages in an image of Debian: reboot, upgrades under traffic'
	@echo '  deb             Debian packages in tests/out/deb, checked by lintian'
	@echo '  rpm             RPM packages in tests/out/rpm'
	@echo '  source          nflb-VERSION.tar.gz of all of it, in tests/out/source'
	@echo '  docs            the documentation as a site, in tests/out/site'
	@echo '  pictures        the pictures of README.md and docs/, by scripts/pictures.py'
	@echo '  dist            nflb-dkms-VERSION.tar.gz with the sources for DKMS, in tests/out'

.PHONY: bench-pick
bench-pick: bootstrap
	tests/bench/pick-cost

.PHONY: bench
bench: bootstrap
	tests/bench/packet-cost
	tests/bench/packet-cost --xdp
	tests/bench/pick-cost

.PHONY: bench-native
bench-native: bootstrap
	tests/bench/packet-cost --native

.PHONY: deb
deb:
	scripts/bootstrap package
	scripts/deb.sh
	scripts/lintian.sh

.PHONY: rpm
rpm:
	scripts/bootstrap package
	scripts/rpm.sh

.PHONY: source
source:
	scripts/source.sh tests/out/source
	rm -rf tests/out/source/nflb-$(VERSION)

.PHONY: test-packages
test-packages:
	scripts/bootstrap package
	tests/packages/run

.PHONY: docs
docs:
	scripts/bootstrap package
	mkdocs build

.PHONY: pictures
pictures:
	scripts/pictures.py

.PHONY: modules
modules:
	@test -n "$(KDIR)" || { echo 'No kernel headers: install some, or say KDIR=' >&2; exit 1; }
	$(MAKE) -C kmod KDIR=$(KDIR) modules

.PHONY: tools
tools:
	$(MAKE) -C userspace all

.PHONY: install
install: all
	install -D -m 644 kmod/nflb.ko $(DESTDIR)/lib/modules/$(KVER)/updates/nflb.ko
	install -D -m 644 kmod/toa/nflb_toa.ko $(DESTDIR)/lib/modules/$(KVER)/updates/nflb_toa.ko
	install -D -m 644 include/uapi/linux/nflb.h $(DESTDIR)$(PREFIX)/include/linux/nflb.h
	install -D -m 644 docs/netlink/specs/nflb.yaml $(DESTDIR)$(PREFIX)/share/nflb/nflb.yaml
	install -D -m 644 dkms/nflb.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-nflb.rules
	$(MAKE) -C userspace install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(if $(DESTDIR),,depmod $(KVER))

# What is loaded, configured and attached stays so.
.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)/lib/modules/$(KVER)/updates/nflb.ko
	rm -f $(DESTDIR)/lib/modules/$(KVER)/updates/nflb_toa.ko
	rm -f $(DESTDIR)$(PREFIX)/include/linux/nflb.h
	rm -f $(DESTDIR)$(PREFIX)/share/nflb/nflb.yaml
	rm -f $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-nflb.rules
	$(MAKE) -C userspace uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(if $(DESTDIR),,depmod $(KVER))

.PHONY: dkms-install
dkms-install:
	scripts/dkms.sh stage /usr/src/nflb-$(VERSION)
	dkms add nflb/$(VERSION)
	dkms install nflb/$(VERSION)

.PHONY: clean
clean:
	$(if $(KDIR),$(MAKE) -C kmod KDIR=$(KDIR) clean)
	$(MAKE) -C userspace clean
	rm -rf tests/out

.PHONY: bootstrap
bootstrap:
	@scripts/bootstrap

.PHONY: check
check: bootstrap
	scripts/check.sh

# LIMIT=MINUTES: stop after that time and print the results so far
.PHONY: test
test: bootstrap
	@tests/run $(if $(LIMIT),--limit $(LIMIT))

# What passed on the same source is not repeated, so an interrupted run goes on
.PHONY: test-all
test-all: bootstrap
	@scripts/bootstrap package
	@tests/run --tier all --resume $(if $(LIMIT),--limit $(LIMIT))

.PHONY: kunit
kunit: bootstrap
	tests/vm/kunit $(if $(filter file,$(origin KERNEL)),uml,$(KERNEL))

.PHONY: e2e
e2e: bootstrap
	tests/e2e/run --kernel all $(if $(OFFLOAD),--offload $(OFFLOAD)) $(CASES)

.PHONY: demo
demo: bootstrap
	@scripts/demo.sh

# make shell [TOPOLOGY=NAME] [KERNEL=uml|6.1|6.12]: tests/e2e/topology.md
KERNEL ?= 6.1
.PHONY: shell
shell: bootstrap
	tests/e2e/run --kernel $(KERNEL) --shell '$(or $(TOPOLOGY),dnat)'

.PHONY: dkms
dkms: bootstrap
	scripts/dkms.sh build

.PHONY: dist
dist:
	mkdir -p tests/out
	scripts/dkms.sh stage tests/out/nflb-$(VERSION)
	tar -C tests/out --owner=0 --group=0 -czf tests/out/nflb-dkms-$(VERSION).tar.gz nflb-$(VERSION)

# The tests of docs/reliability.md in their long form. The head of each file describes the
# test and how to shorten it.

.PHONY: fuzz
fuzz: bootstrap
	NFLB_CASE_TIMEOUT=10000 NFLB_FUZZ_PACKETS=1000000 NFLB_FUZZ_COUNT=100000 NFLB_FUZZ_MESSAGES=1000000 \
		tests/e2e/run --kernel uml --timeout 14400 61-netlink-fuzz 90-packet-fuzz

.PHONY: chaos
chaos: bootstrap
	NFLB_CASE_TIMEOUT=10000 NFLB_CHAOS_SECONDS=600 tests/e2e/run --kernel $(or $(CHAOS_KERNEL),uml) \
		--timeout 7200 91-chaos

# One CPU: XDP that comes and goes under traffic needs it where CPUs are emulated.
.PHONY: soak
soak: bootstrap
	NFLB_CASE_TIMEOUT=10000 tests/e2e/run --kernel $(or $(SOAK_KERNEL),6.12) --module-dkms \
		--smp 1 --timeout 7200 --offload xdp 87-xdp-changes

.PHONY: faults
faults: bootstrap
	NFLB_CASE_TIMEOUT=10000 NFLB_FAULT_STEP=32 NFLB_FAULT_STRIDE=1 \
		tests/e2e/run --kernel uml-gcov --timeout 14400 65-no-memory 92-faults

.PHONY: floods
floods: bootstrap
	tests/floods/run --packets 1000000 --family $(or $(FAMILY),4)

.PHONY: user
user: bootstrap
	NFLB_CASE_TIMEOUT=10000 NFLB_USER_SECONDS=1800 tests/e2e/run --kernel uml-gcov --timeout 7200 93-user

.PHONY: coverage
coverage: bootstrap
	tests/coverage/run $(CASES)
