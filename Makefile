# `make` lists the targets. What they need beyond Go, `make test` installs on
# Debian and Ubuntu; elsewhere it says what to install.

# An explicit version is downloaded even where the environment says
# GOTOOLCHAIN=local.
export GOTOOLCHAIN := go1.27.3
export GOEXPERIMENT := simd

ADDR ?= 127.0.0.1:8080
RUN ?= runs/mnist
BENCH ?= .

# Go programs that the tests use, in versions that are known to work.
BIN := $(CURDIR)/bin
WASMTEST := $(BIN)/wasmbrowsertest
WASMTEST_VERSION := v0.11.0
STATICCHECK := $(BIN)/staticcheck

# What also runs in a page.
PORTABLE := ./shared/... ./wasm/app ./weights
JS := GOOS=js GOARCH=wasm

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo site shots test train eval bench lint digits clean \
	format vet staticcheck browser native scalar portable e2e

section = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build the page from the committed weights and serve it (ADDR=127.0.0.1:8080)
	@go run ./site/build -fast
	@go run ./site/serve -addr $(ADDR)

site: ## build the page for any static host, into site/dist
	go run ./site/build

shots: ## photograph the built page into runs/shots
	go run ./site/shots

test: lint native scalar portable e2e ## install what is missing and run every test (MPPM_SKIP_BROWSER=1: none in a browser)
	@printf '\nall tests passed\n'

train: ## train the digits' model into RUN (runs/mnist); takes a while
	go run ./trainer train mnist --out $(RUN)

eval: ## score the committed weights and the baselines: Table 1 and generation, into runs/eval
	go run ./trainer eval mnist --out runs/eval

bench: browser ## measure what is hot, natively and in a page (BENCH=regexp)
	$(call section,benchmarks: native with SIMD)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./shared/...
	$(call section,benchmarks: native without SIMD)
	GOEXPERIMENT= go test -run '^$$' -bench '$(BENCH)' -benchmem ./shared/...
ifneq ($(MPPM_SKIP_BROWSER),1)
	$(call section,benchmarks: WebAssembly in Chromium)
	$(JS) go test -p 1 -exec $(WASMTEST) -run '^$$' -bench '$(BENCH)' -benchmem ./shared/...
endif

lint: format vet staticcheck ## check format, go vet, staticcheck; natively and for the page

digits: ## pick the page's test digits from MNIST again
	go run ./site/digits

clean: ## remove what was built
	rm -rf site/dist bin

format:
	$(call section,gofmt)
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then \
		printf 'not formatted; run gofmt -w on:\n%s\n' "$$out"; exit 1; fi

vet:
	$(call section,go vet: native (with SIMD and without) and the page)
	go vet ./...
	GOEXPERIMENT= go vet ./...
	$(JS) go vet ./shared/... ./wasm/... ./weights/...

# The tool is built first: `go tool` under GOOS=js would run one for the page.
staticcheck:
	$(call section,staticcheck: native and the page)
	@mkdir -p $(BIN)
	@go build -o $(STATICCHECK) honnef.co/go/tools/cmd/staticcheck
	$(STATICCHECK) ./...
	$(JS) $(STATICCHECK) ./shared/... ./wasm/... ./weights/...

native:
	$(call section,tests: native with SIMD)
	MPPM_SKIP_BROWSER=1 go test ./...

scalar:
	$(call section,tests: native without SIMD)
	GOEXPERIMENT= MPPM_SKIP_BROWSER=1 go test ./...

ifeq ($(MPPM_SKIP_BROWSER),1)
browser portable e2e:
	$(call section,$@: left out: MPPM_SKIP_BROWSER=1)
else
# Chromium, and what runs Go tests in it (as a program of its own: it is written
# for an older chromedp than the page's tests are).
browser:
	$(call section,browser)
	@if [ -n "$$MPPM_CHROMIUM" ]; then exit 0; fi; \
	for b in chromium chromium-browser google-chrome-stable google-chrome chrome; do \
		if command -v $$b >/dev/null; then command -v $$b; exit 0; fi; \
	done; \
	if ! command -v apt-get >/dev/null; then \
		echo 'There is no Chromium: install Chromium or Chrome, or set MPPM_SKIP_BROWSER=1.'; exit 1; fi; \
	root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
	$$root apt-get update && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-liberation || { \
		echo 'Chromium could not be installed: install it by hand, or set MPPM_SKIP_BROWSER=1.'; exit 1; }
	@GOBIN=$(BIN) go install github.com/agnivade/wasmbrowsertest@$(WASMTEST_VERSION)

portable: browser
	$(call section,tests: WebAssembly in Chromium with SIMD)
	$(JS) go test -p 1 -exec $(WASMTEST) $(PORTABLE)
	$(call section,tests: WebAssembly in Chromium without SIMD)
	GOEXPERIMENT= $(JS) go test -p 1 -exec $(WASMTEST) $(PORTABLE)

e2e: browser site
	$(call section,tests: the page in Chromium)
	MPPM_DIST=site/dist go test -count=1 ./site/e2e
endif
