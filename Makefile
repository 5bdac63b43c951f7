# The commands of the shop. "make" alone lists them.

.PHONY: help run test quick bench chaos fuzz mutants build pictures needs withpostgres proofs

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: build ## run the shop, with demo data, on http://localhost:8080
	@exec bin/shop serve

build: ## build bin/shop
	@go build -o bin/shop ./cmd/shop

# SHOP_TEST_POSTGRES=container or =local says what the tests' Postgres runs
# on; without it a container is tried first. bin/proofs shows what go test
# would, and fails also if a test that SECURITY.md names has not run.
test: needs withpostgres proofs ## run every test, with the race detector; installs what is missing
	@bin/withpostgres -- bin/proofs run go test -json -race -count=1 -timeout 10m ./...

# Packages whose tests need more than Go and Postgres: a browser, curl, Redis,
# Memcached, HAProxy.
DEMANDING = /(browser|curl|redisstore|memcachestore|stores|scale|chaos)$$

# Each package starts a Postgres of its own, so that go can keep the results of
# packages that have not changed: one server's address is never the next one's.
# It cannot know which programs the end-to-end tests build, so these always run.
quick: ## vet, staticcheck, and the tests that need only Go and Postgres
	go vet ./...
	go tool staticcheck ./...
	@go test $$(go list ./... | grep -vE '$(DEMANDING)|/e2e$$')
	@go test -count=1 ./internal/e2e

# Its peers are no dependencies of the shop's, so it is a module of its own.
# make bench BENCH='-update ../docs/performance.md -chart ../docs/performance.svg'
# puts the run into the document. BENCH=-help lists what else there is.
BENCH = -chart ../bin/performance.svg

bench: build ## compare the shop with others that do the same; takes four minutes
	@cd bench && go build -o ../bin/bench . && ../bin/bench $(BENCH)

# make test runs a short form of it. -seed=N repeats what chance decided.
chaos: needs withpostgres ## break what the shop stands on, while people shop; takes minutes
	@bin/withpostgres -- go test -count=1 -v -timeout 60m ./internal/chaos -long $(CHAOS)

FUZZTIME = 30s

fuzz: ## send odd cookies, addresses and forms, for FUZZTIME=30s each
	go test -run '^$$' -fuzz '^FuzzCookie$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./internal/sessions
	go test -run '^$$' -fuzz '^FuzzNext$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./internal/web
	go test -run '^$$' -fuzz '^FuzzForm$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1s ./internal/web

# Not a part of make test: it compiles the shop a hundred times over.
mutants: withpostgres ## take the defences out, one at a time; a test must notice
	@go build -o bin/mutants ./internal/mutants
	@bin/withpostgres -- bin/mutants

pictures: build ## take the README's pictures anew; needs Chromium
	@go run ./internal/e2e/pictures bin/shop docs/pictures

withpostgres:
	@go build -o bin/withpostgres ./internal/postgres/pgtest/withpostgres

proofs:
	@go build -o bin/proofs ./internal/proofs

# What the tests use besides Go: the names of a program, any of which will do,
# and Debian's package for it. (The race detector is why there is a compiler.)
# Servers may also come from a container, where an engine answers.
NEEDS = cc,gcc,clang=gcc \
	curl=curl \
	redis-server=redis-server \
	memcached=memcached \
	haproxy,/usr/sbin/haproxy=haproxy \
	pg_basebackup=postgresql \
	chromium,chromium-browser,google-chrome,google-chrome-stable,headless-shell=chromium

needs:
	@missing=; inContainer=; root=; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then root=yes; fi; \
	for need in $(NEEDS); do \
		package=$${need#*=}; \
		for program in $$(echo "$${need%=*}" | tr , ' '); do \
			if command -v $$program >/dev/null; then continue 2; fi; \
		done; \
		if [ $$package = chromium ] && [ -d '/Applications/Google Chrome.app' ]; then continue; fi; \
		case $$package in redis-server|memcached|haproxy) inContainer="$$inContainer $$package";; *) missing="$$missing $$package";; esac; \
	done; \
	if [ -n "$$inContainer" ] && { [ -n "$$root" ] || ! docker info >/dev/null 2>&1; }; then missing="$$missing$$inContainer"; fi; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ -n "$$root" ]; then \
		echo "installing$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends $$missing; \
	else \
		echo "make test needs$$missing: install it and try again (Debian, Ubuntu: sudo apt-get install$$missing)" >&2; \
		exit 1; \
	fi
