package web

import "bareed/web/front"

// Routes is the table, for tests that walk it.
func Routes() []front.Route { return routes() }

// Navigation is the menu.
func Navigation() []front.Nav { return navigation() }
