# `make` lists the targets. What they need beyond Go, `make test` installs on
# Debian and Ubuntu; elsewhere it says what to install.

# An explicit version is downloaded even where the environment says
# GOTOOLCHAIN=local.
export GOTOOLCHAIN := go1.27.3
export GOEXPERIMENT := simd

ADDR ?= 127.0.0.1:8080
RUN ?= runs/mnist
BENCH ?= .
PYTHON ?= python3
TAGS ?=

# Go programs that the tests use, in versions that are known to work.
BIN := bin
WASMTEST := $(CURDIR)/$(BIN)/wasmbrowsertest
WASMTEST_VERSION := v0.11.0
STATICCHECK := $(BIN)/staticcheck

# What also runs in a page.
PORTABLE := ./shared/... ./wasm/app ./weights
JS := GOOS=js GOARCH=wasm

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo site mppm shots test train eval sweep bench gremlins lint digits clean \
	format vet staticcheck browser native scalar arm64 portable e2e gpu worker edge

section = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build the page from the committed weights and serve it (ADDR=127.0.0.1:8080)
	@go run ./site/build -fast
	@go run ./site/serve -addr $(ADDR)

site: ## build the page for any static host, into site/dist
	go run ./site/build

mppm: ## build the command line, bin/mppm (TAGS=webgpu: with GPUs)
	go build -tags '$(TAGS)' -o $(BIN)/mppm ./trainer

worker: ## build what the edge runs, into site/worker/build, and install wrangler
	go run ./site/worker/pack
	@cd site/worker && npm ci --no-audit --no-fund

shots: ## photograph the built page into runs/shots
	go run ./site/shots

test: lint native scalar arm64 gpu portable e2e edge ## install what is missing and run every test (MPPM_SKIP_BROWSER=1, MPPM_SKIP_GPU=1, MPPM_SKIP_WORKER=1, MPPM_SKIP_ARM64=1: not those in a browser, on a GPU, in workerd, for arm64)
	@printf '\nall tests passed\n'

train: mppm ## train the digits' model into RUN (runs/mnist); takes a while
	$(BIN)/mppm train mnist --out $(RUN)

eval: mppm ## score the committed weights and the baselines: Table 1 and generation, into runs/eval
	$(BIN)/mppm eval mnist --out runs/eval

sweep: mppm ## search for the flows' parameters on held-out training digits, into runs/sweep; takes hours
	@[ -f runs/held/mnist.safetensors ] || $(BIN)/mppm train mnist --holdout 5000 --out runs/held
	@[ -f runs/dae-held/dae.safetensors ] || $(BIN)/mppm train dae --holdout 5000 --out runs/dae-held
	$(BIN)/mppm sweep --weights runs/held/mnist.safetensors --dae runs/dae-held/dae.safetensors --out runs/sweep

bench: browser ## measure what is hot, natively, in a page and in training, there beside PyTorch where it is installed (BENCH=regexp)
	$(call section,benchmarks: native with SIMD)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./shared/...
	$(call section,benchmarks: native without GOEXPERIMENT=simd)
	GOEXPERIMENT= go test -run '^$$' -bench '$(BENCH)' -benchmem ./shared/...
ifneq ($(MPPM_SKIP_BROWSER),1)
	$(call section,benchmarks: WebAssembly in Chromium)
	$(JS) go test -p 1 -exec $(WASMTEST) -run '^$$' -bench '$(BENCH)' -benchmem ./shared/...
endif
	$(call section,benchmarks: steps of training)
	@mkdir -p runs/bench; rm -f runs/bench/steps runs/bench/pytorch; \
	for p in $(PYTHON) /usr/bin/python3; do if $$p -c 'import torch' 2>/dev/null; then python=$$p; fi; done; \
	for round in 1 2 3 4 5; do \
		go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime 3s ./trainer/internal/train | tee -a runs/bench/steps || exit 1; \
		if [ -n "$$python" ] && grep -q ^Benchmark runs/bench/steps; then \
			$$python trainer/bench/step.py | tee -a runs/bench/pytorch; fi; \
	done; \
	if [ -s runs/bench/pytorch ]; then \
		grep -E '^[a-z]+:|^BenchmarkStep' runs/bench/steps >runs/bench/mppm; \
		go tool benchstat -ignore goos,goarch,pkg,cpu PyTorch=runs/bench/pytorch mppm=runs/bench/mppm; \
	elif [ -z "$$python" ]; then echo 'PyTorch is not beside it: python3 finds no torch (on Debian and Ubuntu python3-torch and libopenblas0-pthread).'; fi

gremlins: browser site ## twenty minutes of random input to the page
	MPPM_DIST=site/dist MPPM_RANDOM=20m go test -count=1 -timeout 40m -run TestRandomInput -v ./site/e2e

lint: format vet staticcheck ## check format, go vet, staticcheck; natively and for the page

digits: ## pick the page's test digits from MNIST again
	go run ./site/digits

clean: ## remove what was built
	rm -rf site/dist site/worker/build bin

format:
	$(call section,gofmt)
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then \
		printf 'not formatted; run gofmt -w on:\n%s\n' "$$out"; exit 1; fi

vet:
	$(call section,go vet: native (with SIMD and without it and without assembly; for amd64 and arm64) and the page)
	go vet ./...
	GOEXPERIMENT= go vet ./...
	GOEXPERIMENT= go vet -tags purego ./...
	GOARCH=amd64 go vet ./shared/...
	GOARCH=arm64 go vet ./shared/...
	$(JS) go vet ./shared/... ./wasm/... ./weights/... ./site/worker ./site/internal/api
	$(JS) go vet -tags linkedkernel ./shared/gemm

# The tool is built first: `go tool` under GOOS=js would run one for the page.
staticcheck:
	$(call section,staticcheck: native and the page)
	@mkdir -p $(BIN)
	@go build -o $(STATICCHECK) honnef.co/go/tools/cmd/staticcheck
	$(STATICCHECK) ./...
	$(JS) $(STATICCHECK) ./shared/... ./wasm/... ./weights/... ./site/worker ./site/internal/api

native:
	$(call section,tests: native with SIMD)
	MPPM_SKIP_BROWSER=1 MPPM_SKIP_WORKER=1 go test -timeout 30m ./...

# As go run and go install build it where nothing is set; and in Go alone, as
# processors without vector kernels run it: what has kernels, and what is held to
# their bits.
scalar:
	$(call section,tests: native without GOEXPERIMENT=simd)
	GOEXPERIMENT= go test ./shared/... ./weights ./trainer/internal/graph ./trainer/internal/train
	$(call section,tests: native without assembly too)
	GOEXPERIMENT= go test -tags purego ./shared/... ./trainer/internal/graph

ifeq ($(MPPM_SKIP_ARM64),1)
arm64:
	$(call section,arm64: left out: MPPM_SKIP_ARM64=1)
else
# The assembly for arm64, and the model with it, under emulation unless this is arm64.
arm64:
	$(call section,tests: arm64)
	@if [ "$$(go env GOARCH)" = arm64 ] || command -v qemu-aarch64 >/dev/null; then exit 0; fi; \
	if [ "$$(uname -s)" != Linux ] || ! command -v apt-get >/dev/null; then \
		echo 'There is no qemu-aarch64: install the user-mode emulation of QEMU, or set MPPM_SKIP_ARM64=1.'; exit 1; fi; \
	root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
	$$root apt-get update && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-user || { \
		echo 'qemu-user could not be installed: install it by hand, or set MPPM_SKIP_ARM64=1.'; exit 1; }
	@exec=; if [ "$$(go env GOARCH)" != arm64 ]; then exec='-exec qemu-aarch64'; fi; \
	for experiment in simd ''; do \
		GOARCH=arm64 GOEXPERIMENT=$$experiment go test $$exec ./shared/gemm ./shared/vec ./shared/ambient || exit 1; done
endif

# The packages with tests on a GPU, and those tests.
GPU := ./trainer/internal/webgpu ./trainer/internal/device ./trainer/internal/netgraph ./trainer/internal/train ./trainer/internal/judge ./trainer/internal/diffuse
ON_GPU := Operations|Unknown|TooLarge|Errors|Lost|Profile|Start|TestTraining

ifeq ($(MPPM_SKIP_GPU),1)
gpu:
	$(call section,gpu: left out: MPPM_SKIP_GPU=1)
else
# Mesa's Vulkan drivers bring a software GPU. The build needs a C compiler, and
# fetches some 600 MB once.
gpu:
	$(call section,tests: training on a GPU)
	@command -v $${CC:-cc} >/dev/null || { echo 'There is no C compiler: install one, or set MPPM_SKIP_GPU=1.'; exit 1; }
	@if [ "$$(uname -s)" = Linux ] && ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then \
		if ! command -v apt-get >/dev/null; then echo 'There is no Vulkan driver: install one (Mesa has a software GPU), or set MPPM_SKIP_GPU=1.'; exit 1; fi; \
		root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
		$$root apt-get update && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mesa-vulkan-drivers || { \
			echo 'No Vulkan driver could be installed: install one by hand, or set MPPM_SKIP_GPU=1.'; exit 1; }; \
	fi
	go vet -tags webgpu ./trainer/...
	go test -p 1 -tags webgpu -run '$(ON_GPU)' $(GPU)
endif

ifeq ($(MPPM_SKIP_BROWSER),1)
browser portable e2e:
	$(call section,$@: left out: MPPM_SKIP_BROWSER=1)
else
# Chromium and Firefox, the latter with a display of its own, and what runs Go
# tests in Chromium (as a program of its own: it is written for an older chromedp
# than the page's tests are).
browser:
	$(call section,browsers)
	@have() { for b in "$$@"; do command -v $$b >/dev/null && return 0; done; return 1; }; \
	need=; \
	[ -n "$$MPPM_CHROMIUM" ] || have chromium chromium-browser google-chrome-stable google-chrome chrome || need='chromium fonts-liberation'; \
	[ -n "$$MPPM_FIREFOX" ] || have firefox-esr firefox || need="$$need firefox-esr"; \
	[ "$$(uname -s)" != Linux ] || have Xvfb || need="$$need xvfb libgl1-mesa-dri libegl1 libpci3"; \
	if [ -z "$$need" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "What the tests in browsers need is missing ($$need): install it, or set MPPM_SKIP_BROWSER=1."; exit 1; fi; \
	root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
	$$root apt-get update && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$need || { \
		echo "Not all of these could be installed: $$need. Install them by hand, or set MPPM_SKIP_BROWSER=1."; exit 1; }
	@GOBIN=$(CURDIR)/$(BIN) go install github.com/agnivade/wasmbrowsertest@$(WASMTEST_VERSION)

portable: browser
	$(call section,tests: WebAssembly in Node with the kernel by hand)
	$(JS) go test -tags linkedkernel -exec 'node $(CURDIR)/shared/gemm/gen/run.js' ./shared/gemm ./shared/nn ./shared/latent
	$(call section,tests: WebAssembly in Chromium with SIMD)
	$(JS) go test -p 1 -exec $(WASMTEST) $(PORTABLE)
	$(call section,tests: WebAssembly in Chromium without SIMD)
	GOEXPERIMENT= $(JS) go test -p 1 -exec $(WASMTEST) $(PORTABLE)

e2e: browser site
	$(call section,tests: the page in Chromium)
	MPPM_DIST=site/dist go test -count=1 -timeout 45m ./site/e2e
endif

ifeq ($(MPPM_SKIP_WORKER),1)
edge:
	$(call section,edge: left out: MPPM_SKIP_WORKER=1)
else
edge: site
	$(call section,tests: the Worker in workerd)
	MPPM_DIST=site/dist go test -count=1 -timeout 30m ./site/worker/e2e
endif
