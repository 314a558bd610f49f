import { render } from 'preact';
import { App } from './app.js';
import { followAddress } from './route.js';
import { takeKeyFromAddress } from './session.js';

takeKeyFromAddress();
addEventListener('hashchange', takeKeyFromAddress);
followAddress();
render(<App />, document.getElementById('console')!);
