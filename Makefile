# Lateen. `make help` lists every target; `make demo` and `make test` do all their own set-up.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# The targets below start programs by path: a signal to npx would leave the program behind.
BIN := node_modules/.bin
# Programs of packages ask env for node: they get the pinned one too.
export PATH := $(CURDIR)/$(BIN):$(PATH)
NODE := $(BIN)/node --disable-warning=ExperimentalWarning
VITEST := $(BIN)/node --disable-warning=ExperimentalWarning node_modules/vitest/vitest.mjs run
# Which tests: `make test T=test/cluster/agent`.
T ?=

.PHONY: help demo up down test test-unit test-faults test-race soak check format docs tools bundle rootfs bench bench-image bench-webhook test-certs test-reviews test-publishes clean

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(BIN)/node ## the main job on a real cluster; CHAPTER=sync plays one chapter
	@$(NODE) dev/demo/main.ts $(CHAPTER)

up: $(BIN)/node ## start a control plane, a Git server and an agent to play with
	@$(NODE) dev/up.ts

down: $(BIN)/node ## stop everything that this checkout has running
	@$(NODE) dev/down.ts

test: check ## everything that CI runs; T=PATH runs some of it
	@$(VITEST) $(T)

test-unit: $(BIN)/node ## the tests that need no server, in seconds
	@$(VITEST) --project fast test/unit $(T)

test-faults: $(BIN)/node ## kill -9 at every write, then 200 seeded scenarios of faults; SEED=N replays one
	@$(NODE) dev/faults/main.ts

soak: $(BIN)/node ## ten minutes of dropped connections, or MINUTES=N: watches alive, memory flat
	@$(NODE) dev/faults/soak.ts

test-certs: $(BIN)/node ## ten minutes of traffic while certificates of two minutes rotate
	@LATEEN_CERTIFICATE_LIFE=2m LATEEN_CERTIFICATE_TRAFFIC=10m $(VITEST) --project cluster test/cluster/webhook/rotation.test.ts

test-reviews: $(BIN)/node ## ten thousand generated and damaged reviews against the webhook
	@LATEEN_REVIEWS=10000 $(VITEST) --project fast --testTimeout 3600000 test/wire/webhook/hostile.test.ts

test-publishes: $(BIN)/node ## a thousand publishes of one Application, or N=: revisions within the limit, memory flat
	@LATEEN_PUBLISHES=$(or $(N),1000) $(VITEST) --project cluster --testTimeout 3600000 test/cluster/agent/many-publishes.test.ts

test-race: $(BIN)/node ## two minutes of three image writers on one branch, or SECONDS=N: every update lands
	@LATEEN_RACE=$(or $(SECONDS),120) $(VITEST) --project fast test/wire/agent/image-writer.test.ts -t race

check: $(BIN)/node ## types, lint, format, unused code
	@$(BIN)/tsc -p .
	@$(BIN)/oxlint --type-aware --quiet
	@$(BIN)/biome format --log-level=warn .
	@$(BIN)/knip --no-progress

format: $(BIN)/node ## rewrite the sources as biome formats them
	@$(BIN)/biome format --write .

docs: $(BIN)/node ## rewrite the generated parts of docs/ and of the READMEs of the charts
	@$(NODE) dev/generate-docs.ts

bench: $(BIN)/node ## measure the agent beside the physical limit; PART=a,b N=100 RUNS=1 QUICK=true
	@$(NODE) dev/bench/main.ts $(foreach name,part n repositories runs quick idle claim out profile,$(if $($(shell echo $(name) | tr a-z A-Z)),--$(name)=$($(shell echo $(name) | tr a-z A-Z))))

bench-image: $(BIN)/node ## measure image automation beside the bare commands, and end to end; PART=a,b,c PUSHES=20
	@PART=$(PART) PUSHES=$(PUSHES) $(NODE) dev/bench/images.ts

bench-webhook: $(BIN)/node ## measure the webhook beside a bare server; SECONDS=5 ROUNDS=3 REVIEWS=1000000
	@$(NODE) dev/bench/webhook.ts

tools: $(BIN)/node ## get every program of the workbench and say where it came from
	@$(NODE) dev/tools.ts

bundle: $(BIN)/node ## one file per program for shipping, into dist/
	@$(NODE) dev/bundle.ts

rootfs: $(BIN)/node ## the files of the image, into dist/rootfs or OUT=FOLDER; needs no container engine
	@$(NODE) dev/rootfs.ts $(OUT)

clean: ## remove what was installed and built here; the program cache outside the checkout stays
	rm -rf node_modules dist

$(BIN)/node: package-lock.json dev/install-runtime.mjs
	@command -v npm >/dev/null 2>&1 || { echo "npm is missing: install Node.js 18 or newer with npm, which only serves to install the pinned one" >&2; exit 1; }
	@command -v git >/dev/null 2>&1 || { echo "git is missing: install it with the packages of your system" >&2; exit 1; }
	@echo "installing the npm packages of package-lock.json"
	@npm ci
	@touch -h $@
