package web

import "bareed/web/front"

// Navigation is the menu.
func Navigation() []front.Nav { return navigation() }
