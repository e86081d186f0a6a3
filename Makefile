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
DIST := $(BIN)/dist
CARRIED := site/page/page.zip
WASMTEST := $(CURDIR)/$(BIN)/wasmbrowsertest
WASMTEST_VERSION := v0.11.0
STATICCHECK := $(BIN)/staticcheck

# What also runs in a page or at the edge.
PAGE := ./shared/... ./wasm/... ./weights/... ./site/worker ./site/internal/api ./npm/session ./npm/engine
# Of that, what has tests of its own there.
PORTABLE := ./shared/... ./wasm/app/... ./weights
# Of what is shared, what computes with kernels, which have a twin for every way to
# build them; and the models, whose bits are held to be those of any.
TWINS = $(shell go list -f '{{.ImportPath}} {{join .Deps " "}} ' ./shared/... | awk '/\/shared\/(gemm|vec) / { print $$1 }') ./weights
JS := GOOS=js GOARCH=wasm

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo site mppm release rename npm npm-test shots check test train eval sweep onnx bench bench-page bench-peers gremlins lint golden digits clean \
	format vet vetted staticcheck browser shells native scalar arm64 portable page e2e gpu vulkan gpu-report worker edge drawn drawn-faces

section = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## build the page from the committed weights and serve it (ADDR=127.0.0.1:8080)
	@go run ./site/build -fast
	@go run ./site/serve -addr $(ADDR)

site: $(if $(BENCH_PAGE),bench-peers) ## build the page for any static host, into site/dist (BENCH_PAGE=1: with the page that times it beside other runtimes; MODEL=runs/mine: around a model of your own, with its DATA=, CLASSIFIER= and LDM=)
	go run ./site/build $(if $(BENCH_PAGE),-bench) $(if $(MODEL),-model '$(MODEL)') $(if $(DATA),-data '$(DATA)') $(if $(CLASSIFIER),-classifier '$(CLASSIFIER)') $(if $(LDM),-baselines '$(LDM)')

mppm: $(CARRIED) ## build the command line with the page in it, bin/mppm (TAGS=webgpu: with GPUs)
	go build -tags 'page,$(TAGS)' -o $(BIN)/mppm ./trainer

# The page as mppm carries it: built when something has changed that it may be made of.
$(CARRIED): $(shell find go.mod shared wasm weights trainer/internal site/static site/build site/internal site/page/pack)
	go run ./site/build -fast -out $(DIST)
	go run ./site/page/pack -from $(DIST) -to $@

release: $(CARRIED) ## make what is published of the tag that is checked out, for every system, into bin/release (VERSION=v1.2.3: that or nothing)
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} go run ./release -out $(BIN)/release $(if $(VERSION),-version $(VERSION))

rename: ## give the module and all that imports it another path, MODULE=example.org/you/mppm
	@go run ./release/rename $(MODULE)

npm: ## build the npm package, bin/npm/mppm, and its tarball (VERSION=1.2.3)
	@command -v npm >/dev/null || { echo 'There is no npm: install Node 20 or later, and npm.'; exit 1; }
	go run ./npm/pack $(if $(VERSION),-version $(VERSION))

worker: ## build what the edge runs, into site/worker/build, and install wrangler
	go run ./site/worker/pack
	@cd site/worker && npm ci --no-audit --no-fund

shots: ## photograph the built page into runs/shots
	go run ./site/shots

check: format vet ## a minute and a half for who works on it: format, go vet, and the native tests that take no minutes
	$(call section,tests: native with SIMD; the short ones)
	MPPM_SKIP_BROWSER=1 MPPM_SKIP_WORKER=1 go test -short ./...

test: lint onnx native scalar arm64 gpu portable e2e npm-test edge drawn ## install what is missing and run every test (MPPM_SKIP_BROWSER=1, MPPM_SKIP_GPU=1, MPPM_SKIP_WORKER=1, MPPM_SKIP_ARM64=1, MPPM_SKIP_DRAWN=1, MPPM_SKIP_ONNX=1: not those in a browser, on a GPU, in workerd, for arm64, of drawn faces, of ONNX files in another program)
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
		go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime 3s ./trainer/internal/task/latent ./trainer/internal/scale | tee -a runs/bench/steps || exit 1; \
		if [ -z "$$python" ]; then continue; fi; \
		if grep -q ^BenchmarkStep runs/bench/steps; then \
			$$python trainer/bench/step.py | tee -a runs/bench/pytorch; fi; \
		for cell in $$(sed -nE 's|^BenchmarkUNet/([a-z0-9]+)/([0-9]+)/([0-9]+).*|\1:\2:\3|p' runs/bench/steps | sort -u); do \
			$$python trainer/bench/step.py --batch --unet $$cell | tee -a runs/bench/pytorch; done; \
	done; \
	if [ -s runs/bench/pytorch ]; then \
		grep -E '^[a-z]+:|^Benchmark(Step|UNet)' runs/bench/steps >runs/bench/mppm; \
		go tool benchstat -ignore goos,goarch,pkg,cpu PyTorch=runs/bench/pytorch mppm=runs/bench/mppm; \
	elif [ -z "$$python" ]; then echo 'PyTorch is not beside it: python3 finds no torch (on Debian and Ubuntu python3-torch and libopenblas0-pthread).'; fi

bench-page: browser bench-peers ## time the page's inference in Chromium, beside ONNX Runtime Web and TensorFlow.js
	$(call section,inference beside other runtimes)
	go run ./site/build -fast -bench -out $(DIST)
	go run ./site/bench -dist $(DIST)

# What is measured beside: of the bench page alone.
bench-peers:
	@command -v npm >/dev/null || { echo 'There is no npm: install Node 20 or later, and npm.'; exit 1; }
	@cd site/bench && npm ci --no-audit --no-fund --ignore-scripts

gremlins: browser page ## twenty minutes of random input to the page
	MPPM_DIST=$(DIST) MPPM_RANDOM=20m go test -count=1 -timeout 40m -run TestRandomInput -v ./site/e2e

lint: format vetted staticcheck ## check format, go vet, staticcheck; natively and for the page

golden: ## write the bits that tests hold nets, flows and scores to as they are now, to be read as a difference
	MPPM_GOLDEN=write go test ./shared/... ./weights
	git diff --stat -- shared/golden

drawn-faces: ## draw 5,500 faces to train on, the same ones every time, into runs/drawn-faces; goes on where it was interrupted
	@command -v npm >/dev/null || { echo 'There is no npm: install Node 20 or later, and npm.'; exit 1; }
	@cd trainer/drawn && npm ci --no-audit --no-fund
	@node trainer/drawn/faces.js --out runs/drawn-faces

digits: ## pick the page's test digits from MNIST again
	go run ./site/digits

clean: ## remove what was built
	rm -rf site/dist site/worker/build bin $(CARRIED)

format:
	$(call section,gofmt)
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then \
		printf 'not formatted; run gofmt -w on:\n%s\n' "$$out"; exit 1; fi

vet:
	$(call section,go vet: native and the page)
	go vet ./...
	$(JS) go vet $(PAGE)

# As go install builds the trainer where nothing is set, and what has kernels as all
# other processors have it.
vetted: vet
	$(call section,go vet: without SIMD and without assembly; the kernels for amd64 and arm64)
	GOEXPERIMENT= go vet ./shared/... ./weights ./trainer/...
	GOEXPERIMENT= go vet -tags purego ./shared/...
	GOARCH=amd64 go vet ./shared/...
	GOARCH=arm64 go vet ./shared/...
	$(JS) go vet -tags linkedkernel ./shared/gemm

# The tool is built first: `go tool` under GOOS=js would run one for the page.
staticcheck:
	$(call section,staticcheck: native and the page)
	@mkdir -p $(BIN)
	@go build -o $(STATICCHECK) honnef.co/go/tools/cmd/staticcheck
	$(STATICCHECK) ./...
	$(JS) $(STATICCHECK) $(PAGE)

# What the tests ask whether they complete commands. Without them the tests are left out.
shells:
	@[ "$$(uname -s)" = Linux ] && command -v apt-get >/dev/null || exit 0; \
	need=; for s in zsh fish; do command -v $$s >/dev/null || need="$$need $$s"; done; [ -n "$$need" ] || exit 0; \
	root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
	$$root apt-get update && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$need || \
		echo "These could not be installed, and completion is not tested in them:$$need"

native: shells
	$(call section,tests: native with SIMD)
	MPPM_SKIP_BROWSER=1 MPPM_SKIP_WORKER=1 go test -timeout 30m ./...

# As go run and go install build it where nothing is set, and in Go alone, as
# processors without vector kernels run it.
scalar:
	$(call section,tests: native without GOEXPERIMENT=simd)
	GOEXPERIMENT= go test $(TWINS) ./trainer/internal/graph
	$(call section,tests: native without assembly too)
	GOEXPERIMENT= go test -tags purego $(TWINS) ./trainer/internal/graph

ifeq ($(MPPM_SKIP_ARM64),1)
arm64:
	$(call section,arm64: left out: MPPM_SKIP_ARM64=1)
else
# The assembly for arm64, and what is computed with it by a model and in training, held
# to the same bits as elsewhere; under emulation unless this is arm64.
ARM64 := ./shared/gemm ./shared/vec ./shared/ambient ./trainer/internal/graph
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
		GOARCH=arm64 GOEXPERIMENT=$$experiment go vet $(ARM64) && \
		GOARCH=arm64 GOEXPERIMENT=$$experiment go test $$exec $(ARM64) || exit 1; done
endif

# ONNX Runtime, a package of npm that takes 186 MB, is there to hold the ONNX files to
# what they are of: nothing of it is in what is built. Python checks them, and trades
# weights with PyTorch, where python3 has the modules onnx and torch.
ifeq ($(MPPM_SKIP_ONNX),1)
onnx:
	$(call section,ONNX Runtime: left out: MPPM_SKIP_ONNX=1)
else
onnx:
	$(call section,tests: ONNX files in ONNX Runtime)
	@command -v npm >/dev/null || { echo 'There is no npm: install Node 20 or later, and npm, or set MPPM_SKIP_ONNX=1.'; exit 1; }
	@cd trainer/internal/onnx/runtime && npm ci --no-audit --no-fund --ignore-scripts
	go test ./trainer/internal/onnx ./trainer/internal/torch
endif

# Runs the tests on a GPU with the flags $(1): those of the files that the tag webgpu
# alone builds, whatever their names are.
on_gpu = find trainer -name '*_test.go' | xargs grep -l '^//go:build webgpu$$' | xargs -n1 dirname | sort -u | while read dir; do \
	tests=$$(grep -l '^//go:build webgpu$$' $$dir/*_test.go | xargs sed -n 's/^func \(Test[A-Za-z0-9_]*\)(.*/\1/p' | paste -sd '|' -); \
	[ -z "$$tests" ] || go test -tags webgpu $(1) -run "^($$tests)\$$" ./$$dir || exit 1; done

# SwiftShader, the software GPU of Chromium, is some times faster than Mesa's, which
# then runs each operation once. Another Vulkan driver is that of VK_DRIVER_FILES.
SWIFTSHADER = $(firstword $(wildcard $(addsuffix /vk_swiftshader_icd.json,\
	$(if $(MPPM_CHROMIUM),$(dir $(realpath $(MPPM_CHROMIUM)))) /usr/lib/chromium /usr/lib/chromium-browser /opt/google/chrome)))
LLVMPIPE = $(firstword $(wildcard /usr/share/vulkan/icd.d/lvp_icd*.json))

ifeq ($(MPPM_SKIP_GPU),1)
gpu vulkan:
	$(call section,$@: left out: MPPM_SKIP_GPU=1)
else
gpu: vulkan
	$(call section,tests: training on a GPU)
	go vet -tags webgpu ./trainer/...
ifneq ($(VK_DRIVER_FILES),)
	@$(call on_gpu)
else
	@if [ -n '$(SWIFTSHADER)' ]; then export VK_DRIVER_FILES='$(SWIFTSHADER)'; echo "on $$VK_DRIVER_FILES"; fi; $(call on_gpu)
	if [ -n '$(SWIFTSHADER)' ] && [ -n '$(LLVMPIPE)' ]; then \
		VK_DRIVER_FILES='$(LLVMPIPE)' go test -tags webgpu -short -run '^TestOperations$$' ./trainer/internal/webgpu; fi
endif

# Mesa's Vulkan drivers bring a software GPU. The build needs a C compiler, and
# fetches some 600 MB once.
vulkan:
	@command -v $${CC:-cc} >/dev/null || { echo 'There is no C compiler: install one, or set MPPM_SKIP_GPU=1.'; exit 1; }
	@if [ "$$(uname -s)" = Linux ] && [ -z "$$(ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json 2>/dev/null)" ]; then \
		if ! command -v apt-get >/dev/null; then echo 'There is no Vulkan driver: install one (Mesa has a software GPU), or set MPPM_SKIP_GPU=1.'; exit 1; fi; \
		root=; if [ "$$(id -u)" != 0 ]; then root=sudo; fi; \
		$$root apt-get update && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mesa-vulkan-drivers || { \
			echo 'No Vulkan driver could be installed: install one by hand, or set MPPM_SKIP_GPU=1.'; exit 1; }; \
	fi
endif

# The page says what failed, and is written all the same.
gpu-report: vulkan ## test the GPU and time training on it, beside PyTorch where it is installed: a page to send in, runs/gpu-report.md (BENCH=regexp)
	@rm -rf runs/gpu; mkdir -p runs/gpu/stages
	@go run -tags webgpu ./trainer devices 2>&1 | grep -v XDG_RUNTIME_DIR | tee runs/gpu/devices
	@($(call on_gpu,-count=1 -timeout 30m)) 2>&1 | tee runs/gpu/suite
	@MPPM_GPU_STAGES=$(CURDIR)/runs/gpu/stages go test -tags webgpu -run '^$$' -bench '$(BENCH)' -timeout 60m ./trainer/internal/scale 2>&1 | tee runs/gpu/steps
	@for p in $(PYTHON) /usr/bin/python3; do if $$p -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then python=$$p; fi; done; \
	if [ -n "$$python" ]; then $$python trainer/bench/step.py --device cuda --batch 8 128 1024 --unet 64 128 256 >runs/gpu/pytorch 2>&1; \
		grep -E '^[a-z]+:|^BenchmarkGPU' runs/gpu/steps >runs/gpu/mppm; \
		go tool benchstat -ignore goos,goarch,pkg,cpu PyTorch=runs/gpu/pytorch mppm=runs/gpu/mppm >runs/gpu/beside 2>&1; \
	else echo 'PyTorch finds no card that it can use, or is not installed.' >runs/gpu/beside; fi; cat runs/gpu/beside
	@{ part() { printf '\n## %s\n\n```\n' "$$1"; cat; printf '```\n'; }; \
		printf '# Training on a GPU\n\n%s, %s, %s, commit %s.\n' "$$(date -u +%Y-%m-%d)" "$$(uname -srm)" "$$(go version)" "$$(git describe --always --dirty 2>/dev/null)"; \
		part Devices <runs/gpu/devices; \
		part Tests <runs/gpu/suite; \
		grep -v -e XDG_RUNTIME_DIR -e '^ ' -e '^--- BENCH' -e truncated runs/gpu/steps | part 'Time of a step'; \
		part 'Beside PyTorch' <runs/gpu/beside; \
		cat runs/gpu/stages/* 2>/dev/null | part 'Where the time goes'; \
	} >runs/gpu-report.md; echo 'runs/gpu-report.md is written.'

ifeq ($(MPPM_SKIP_BROWSER),1)
browser portable e2e npm-test:
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

# What an example prints goes by way of a file, of one name for the examples of all
# packages, which in a browser is an error.
portable: browser
	$(call section,tests: WebAssembly in Node with the kernel by hand)
	$(JS) go test -tags linkedkernel -exec 'node $(CURDIR)/shared/gemm/gen/run.js' ./shared/gemm ./shared/nn ./shared/latent ./shared/vec ./shared/kde
	$(call section,tests: WebAssembly in Chromium with SIMD)
	$(JS) go test -exec $(WASMTEST) -skip '^Example' $(PORTABLE)
	$(call section,tests: WebAssembly in Chromium without SIMD)
	GOEXPERIMENT= $(JS) go test -exec $(WASMTEST) -skip '^Example' $(TWINS)
	$(call section,tests: WebAssembly in Node: examples)
	$(JS) go test -exec 'node $(CURDIR)/shared/gemm/gen/run.js' -run '^Example' ./shared/...

# Much of the time a page is waited for: three are open at a time.
e2e: browser page
	$(call section,tests: the page in Chromium)
	MPPM_DIST=$(DIST) go test -count=1 -timeout 45m -parallel 3 ./site/e2e

npm-test: browser npm npm/check/node_modules/.package-lock.json
	$(call section,tests: the npm package from its tarball)
	MPPM_NPM=$(BIN)/npm go test -count=1 -timeout 15m -parallel 3 ./npm/e2e
endif

# What the npm package is checked with; npm writes that file as the last.
npm/check/node_modules/.package-lock.json: npm/check/package-lock.json
	@cd npm/check && npm ci --no-audit --no-fund --ignore-scripts
	@touch $@

# The page that the tests look at: the same as that of make site, less compressed.
page:
	go run ./site/build -fast -out $(DIST)

ifeq ($(MPPM_SKIP_DRAWN),1)
drawn:
	$(call section,drawn faces: left out: MPPM_SKIP_DRAWN=1)
else
drawn:
	$(call section,tests: drawn faces)
	@command -v npm >/dev/null || { echo 'There is no npm: install Node 20 or later, and npm, or set MPPM_SKIP_DRAWN=1.'; exit 1; }
	@cd trainer/drawn && npm ci --no-audit --no-fund && node --test .
endif

ifeq ($(MPPM_SKIP_WORKER),1)
edge:
	$(call section,edge: left out: MPPM_SKIP_WORKER=1)
else
edge: page
	$(call section,tests: the Worker in workerd)
	MPPM_DIST=$(DIST) go test -count=1 -timeout 30m ./site/worker/e2e
endif
