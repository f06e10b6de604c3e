// Package deploy holds the files the product is run by to their rules: the
// Dockerfile, docker-compose.yml, the Procfile, the systemd units, the database
// logins, and a backup that is restored. It is tests alone; nobody calls it.
//
// Every rule has a broken variant beside it, so that none is green because it
// looks at nothing.
package deploy
