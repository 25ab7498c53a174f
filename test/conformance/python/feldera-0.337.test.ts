// Every scenario through client 0.337.0, the version whose test tools Feldera's own tests need.
import { test } from 'uvu';
import { testClient } from './client-scenarios.ts';

await testClient('0.337.0');
test.run();
