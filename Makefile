# One-line aliases for the developer's tool, which only needs Go.

.DEFAULT_GOAL := help
.PHONY: demo test check bench prove procs openapi e2e reset simulate help

demo: ## start everything with a simulated WhatsApp and run a sample campaign
	@echo "the first build takes one or two minutes"
	@go run ./cmd/dev demo

test: ## run all tests with private PostgreSQL and Redis
	@echo "the first build takes one or two minutes"
	@go run ./cmd/dev test

check: ## formatting, vet, staticcheck, checksums
	@go run ./cmd/dev check

bench: ## measure this machine
	@go run ./cmd/dev bench

prove: ## break everything by a seeded plan and judge: SEED=… N=… KILLS=…
	@go run ./cmd/dev prove

simulate: ## carry a campaign out in simulated time and judge the forecast
	@go run ./cmd/dev simulate

procs: ## run the Procfile for real, send a few messages, stop in good order
	@go run ./cmd/dev procs

openapi: ## write docs/openapi.json anew from the code
	@go run ./cmd/dev openapi

e2e: ## drive a browser through the product and look at every page
	@go run ./cmd/dev e2e

reset: ## wipe the private data of demo and test
	@go run ./cmd/dev reset

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
